import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { exportSavedModel } from '@pyramidal/graph';
import type { RgbImage } from '@pyramidal/images';
import { fillWithGolden, onEngines, runSavedModel } from '@pyramidal/testing';
import * as tf from '@tensorflow/tfjs-core';
import { assembleSegmentor } from './assemble';
import { segmentationSchema } from './config';
import { SegmentationWork } from './segmentation-work';
import { servedSegmentor } from './serving-task';

const CLASSES = ['sky', 'sea', 'sand'].map((name) => ({ name, colour: [0, 0, 0] as const }));

/** A picture of waves. */
const PHOTO: RgbImage = {
  ...{ width: 91, height: 70 },
  data: Uint8Array.from({ length: 91 * 70 * 3 }, (_, i) => 127 + 120 * Math.sin(0.13 * i + 0.00002 * i * i)),
};

const LOOKS = [
  ['as a whole', { inference: { mode: 'whole' } }],
  [
    'through windows',
    { inference: { mode: 'slide', crop: { height: 48, width: 48 }, stride: { height: 32, width: 32 } } },
  ],
  ['at two sizes and mirrored', { testTime: { ratios: [1, 1.25], flip: true } }],
] as const;

onEngines(
  'a segmentor as a SavedModel',
  () => {
    it.each(LOOKS)('gives the classes of a photograph that predict gives, %s', async (_, look) => {
      const folder = mkdtempSync(join(tmpdir(), 'saved-model-'));
      const config = segmentationSchema.parse({
        data: { root: 'none', workers: 0 },
        model: {
          backbone: { name: 'smt_tiny', depths: [1, 1, 1, 1] },
          head: { name: 'upernet', channels: 16, auxiliaryChannels: 16 },
        },
        input: { longest: 128, shortest: 64, crop: 64 },
        train: { epochs: 1, batchSize: 1, optimizer: { name: 'adamw', lr: 1e-3 } },
        runtime: { compile: false },
        ...look,
      });
      const network = assembleSegmentor(config, CLASSES.length);
      fillWithGolden(network);
      const { outputs } = servedSegmentor(config, network);
      const images = tf.tensor4d(Float32Array.from(PHOTO.data), [1, PHOTO.height, PHOTO.width, 3]);
      exportSavedModel((given: { images: tf.Tensor4D }) => outputs(given.images), { images }, folder, {
        bytes: ['images'],
      });

      const { labels } = runSavedModel(folder, { images: tf.cast(images, 'int32') });
      expect(labels!.shape).toEqual([1, PHOTO.height, PHOTO.width]);
      const values = labels!.dataSync();
      const work = new SegmentationWork({ config, data: { classes: CLASSES }, network });
      const [{ map }] = (await work.run([await work.prepare(PHOTO, 'photo')])) as [
        Awaited<ReturnType<typeof work.run>>[number],
      ];
      expect(new Set(map).size).toBeGreaterThan(1);
      // Where two classes are as likely, rounding decides.
      expect(map.filter((label, i) => label !== values[i]).length).toBeLessThan(map.length / 1000);
      tf.dispose([images, labels!]);
      await work.close();
      network.dispose();
      rmSync(folder, { recursive: true });
    });
  },
  ['tensorflow'],
);
