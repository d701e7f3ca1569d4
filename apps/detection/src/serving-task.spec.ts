import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { exportSavedModel } from '@pyramidal/graph';
import type { RgbImage } from '@pyramidal/images';
import { expectClose, fillWithGolden, onEngines, runSavedModel } from '@pyramidal/testing';
import * as tf from '@tensorflow/tfjs-core';
import { assembleDetector } from './assemble';
import { detectionSchema } from './config';
import { DetectionWork } from './detection-work';
import { servedDetector } from './serving-task';

const CLASSES = ['cat', 'dog', 'horse'].map((name, i) => ({ categoryId: i + 1, name }));
const DETECTIONS = { count: 12, scoreThreshold: 0 };
const DETECTORS = [
  { name: 'retinanet', hidden: 16, convs: 1, detections: { perLevel: 40, ...DETECTIONS } },
  {
    ...{ name: 'mask-rcnn', testProposals: { perLevel: 40, count: 30 } },
    ...{ boxHidden: 16, maskHidden: 8, maskConvs: 1, detections: DETECTIONS },
  },
  {
    ...{ name: 'deformable-detr', queries: 10, encoderLayers: 1, decoderLayers: 2, heads: 2, points: 2 },
    ...{ feedForward: 32, detections: { count: 12 } },
  },
];

const configOf = (detector: object) =>
  detectionSchema.parse({
    data: { root: 'none', workers: 0 },
    model: {
      backbone: { name: 'groupmixformer_miny', channels: [10, 10, 10, 10], depths: [1, 1, 1, 1] },
      neck: { channels: 32 },
      detector,
    },
    input: { longest: 96, shortest: 64 },
    train: { epochs: 1, batchSize: 1, optimizer: { name: 'adamw', lr: 1e-3 } },
    runtime: { compile: false },
  });

/** A picture of waves, which no scale of the configuration fits. */
const PHOTO: RgbImage = {
  ...{ width: 111, height: 70 },
  data: Uint8Array.from({ length: 111 * 70 * 3 }, (_, i) => 127 + 120 * Math.sin(0.13 * i + 0.00002 * i * i)),
};

onEngines(
  'a detector as a SavedModel',
  () => {
    it.each(DETECTORS)('finds in a photograph what predict finds: $name', async (settings) => {
      const folder = mkdtempSync(join(tmpdir(), 'saved-model-'));
      const config = configOf(settings);
      const network = assembleDetector(config, CLASSES.length);
      fillWithGolden(network);
      const { outputs } = servedDetector(config, network);
      const images = tf.tensor4d(Float32Array.from(PHOTO.data), [1, PHOTO.height, PHOTO.width, 3]);
      exportSavedModel((given: { images: tf.Tensor4D }) => outputs(given.images), { images }, folder, {
        bytes: ['images'],
      });

      const found = runSavedModel(folder, { images: tf.cast(images, 'int32') });
      const work = new DetectionWork({ config, data: { classes: CLASSES }, network }, 0);
      const [{ objects }] = (await Promise.all(await work.run([await work.prepare(PHOTO, 'photo')]))) as [
        Awaited<Awaited<ReturnType<typeof work.run>>[number]>,
      ];
      const rows = objects.length;
      expect(rows).toBeGreaterThan(3);
      expect([...found['count']!.dataSync()]).toEqual([rows]);
      expect(found['boxes']!.shape.slice(0, 1)).toEqual([1]);
      const firstOf = (name: string): number[] =>
        [...found[name]!.dataSync()].slice(0, rows * (name === 'boxes' ? 4 : 1));
      expect(firstOf('labels')).toEqual(objects.map(({ label }) => label));
      // Here layer norms are the addon's own operation, there TensorFlow's: they round in another way.
      expectClose(firstOf('scores'), objects.map(({ score }) => score), { atol: 5e-5 }, 'scores'); // prettier-ignore
      expectClose(firstOf('boxes'), objects.flatMap(({ box }) => box), { atol: 0.01 }, 'boxes'); // prettier-ignore
      expect(found['masks'] !== undefined).toBe(network.predictsMasks);
      tf.dispose([images, found]);
      await work.close();
      network.dispose();
      rmSync(folder, { recursive: true });
    });
  },
  ['tensorflow'],
);
