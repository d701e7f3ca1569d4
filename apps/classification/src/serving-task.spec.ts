import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { exportSavedModel } from '@pyramidal/graph';
import type { RgbImage } from '@pyramidal/images';
import { fillWithGolden, onEngines, runSavedModel } from '@pyramidal/testing';
import * as tf from '@tensorflow/tfjs-core';
import { assembleClassifier } from './assemble';
import { ClassificationWork } from './classification-work';
import { classificationSchema } from './config';
import { servedClassifier } from './serving-task';

const CLASSES = ['cat', 'dog', 'horse'].map((name, index) => ({ index, folder: name, name }));

/** A picture of waves. */
const photograph = (width: number, height: number): RgbImage => ({
  ...{ width, height },
  data: Uint8Array.from({ length: width * height * 3 }, (_, i) => 127 + 120 * Math.sin(0.13 * i + 0.00002 * i * i)),
});

const PHOTOS = [
  ['of the size that it is by default, whose centre is looked at', photograph(73, 73), 1e-5],
  // A pixel in some thousands is rounded otherwise, by 1 of 255.
  ['that is made smaller', photograph(171, 130), 1e-3],
] as const;

onEngines(
  'a classifier as a SavedModel',
  () => {
    it.each(PHOTOS)('gives the probabilities that predict gives, of a photograph %s', async (_, photo, tolerance) => {
      const folder = mkdtempSync(join(tmpdir(), 'saved-model-'));
      const config = classificationSchema.parse({
        data: { root: 'none', workers: 0 },
        model: { backbone: { name: 'smt_tiny', depths: [1, 1, 1, 1] } },
        input: { size: 64 },
        train: { epochs: 1, batchSize: 1, optimizer: { name: 'adamw', lr: 1e-3 } },
        runtime: { compile: false },
      });
      const network = assembleClassifier(config, CLASSES.length);
      fillWithGolden(network, 'damped');
      const { outputs, size } = servedClassifier(config, network);
      expect(size).toEqual({ height: 73, width: 73 }); // 64 / 0.875, of which the centre is all but the edge
      const images = tf.tensor4d(Float32Array.from(photo.data), [1, photo.height, photo.width, 3]);
      exportSavedModel((given: { images: tf.Tensor4D }) => outputs(given.images), { images }, folder, {
        bytes: ['images'],
      });

      const { probabilities } = runSavedModel(folder, { images: tf.cast(images, 'int32') });
      expect(probabilities!.shape).toEqual([1, CLASSES.length]);
      const values = probabilities!.dataSync();
      const work = new ClassificationWork(
        { config, data: { classes: CLASSES }, network },
        { top: 3, minProbability: 0 },
      );
      const [{ classes }] = (await work.run([await work.prepare(photo, 'photo')])) as [
        Awaited<ReturnType<typeof work.run>>[number],
      ];
      for (const { label, probability } of classes) {
        expect(Math.abs(values[label]! - probability)).toBeLessThan(tolerance);
      }
      tf.dispose([images, probabilities!]);
      await work.close();
      network.dispose();
      rmSync(folder, { recursive: true });
    });
  },
  ['tensorflow'],
);
