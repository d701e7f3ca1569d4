import { type Seed, serveTasks } from '@pyramidal/images';
import type { SegmentationSample } from './folder';
import type { LabelCoding } from './label-file';
import { prepareTraining, type TrainingSample, type TrainingTransform } from './transform';

export interface PrepareTask {
  readonly sample: SegmentationSample;
  readonly coding: LabelCoding;
  readonly transform: TrainingTransform;
  readonly seed: Seed;
}

serveTasks<PrepareTask, TrainingSample>(async ({ sample, coding, transform, seed }) => {
  const result = await prepareTraining(sample, coding, transform, seed);
  return { result, transfer: [result.pixels.buffer as ArrayBuffer, result.labels.buffer as ArrayBuffer] };
});
