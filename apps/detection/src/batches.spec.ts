/** What a configuration's training reads. */
import { join } from 'node:path';
import type { DetectionSample } from '@pyramidal/coco';
import { loadConfig } from '@pyramidal/config';
import { Backbone } from '@pyramidal/nn';
import { givenFeatures } from '@pyramidal/testing';
import { trainingBatches } from './batches';
import { detectionSchema } from './config';
import { createDetector } from './detectors';

const SAMPLE = join(__dirname, '../../../configs/detection/sample-retinanet.yaml');

/** Seven images with the first category, and one with the second. */
const samples = Array.from({ length: 8 }, (_, id): DetectionSample => {
  const object = { id, label: id === 7 ? 1 : 0, box: [2, 2, 20, 20] as const, segmentation: undefined };
  return { id, file: `${id}.png`, width: 64, height: 48, objects: [object], crowds: [] };
});

it.each([
  ['data.limit=8', 4],
  // Each image sqrt(8 / 7) times, the last one sqrt(8): ten in all.
  ['data.repeatThreshold=1', 5],
])('with %s an epoch has %i batches of two', async (set, expected) => {
  const { config } = loadConfig(detectionSchema, SAMPLE, { set: ['train.batchSize=2', 'data.workers=0', set] });
  const parts = { backbone: givenFeatures(Backbone, []), neckChannels: 8, classes: 2 };
  const detector = createDetector(config.model.detector, parts);
  const batches = trainingBatches(config, samples, detector);
  expect(batches.batchesPerEpoch).toBe(expected);
  await batches.close();
});
