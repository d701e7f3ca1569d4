import { type Seed, serveTasks } from '@pyramidal/images';
import type { DetectionSample } from './dataset';
import { type DetectionTransform, type PreparedSample, prepareSample } from './prepare';

export interface PrepareTask {
  readonly sample: DetectionSample;
  readonly transform: DetectionTransform;
  readonly seed: Seed;
}

serveTasks<PrepareTask, PreparedSample>(async ({ sample, transform, seed }) => {
  const result = await prepareSample(sample, transform, seed);
  const { pixels, boxes, labels, masks, regions, ignored } = result;
  const transfer = [pixels, boxes, labels, masks, regions, ignored].map(({ buffer }) => buffer as ArrayBuffer);
  return { result, transfer };
});
