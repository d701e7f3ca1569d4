/** The batches that a configuration's training reads, and the loss of its evaluations. */
import {
  openSegmentationBatches,
  type SegmentationBatch,
  type SegmentationSplit,
  type TrainingTransform,
} from '@pyramidal/ade20k';
import { IMAGENET_NORMALISATION, type PixelTensor } from '@pyramidal/images';
import { evaluationBatchSize } from '@pyramidal/inference';
import type { BatchSource } from '@pyramidal/loading';
import { takesBytes, trainingBatchSize } from '@pyramidal/task';
import { codingOf, decodingOf } from './assemble';
import type { SegmentationConfig } from './config';

/** What is done to a training image and its labels. */
export function trainingTransform(config: SegmentationConfig): TrainingTransform {
  const { crop, ...scale } = config.input;
  const decode = decodingOf(config);
  return { ...config.augmentation, scale, crop, normalisation: IMAGENET_NORMALISATION, decode };
}

/** Augmented, shuffled, full batches. */
export function trainingBatches(
  config: SegmentationConfig,
  split: SegmentationSplit,
  classes: number,
): BatchSource<SegmentationBatch<PixelTensor>> {
  const { data, train } = config;
  return openSegmentationBatches({
    samples: split.samples,
    coding: codingOf(config, classes),
    transform: trainingTransform(config),
    batchSize: Math.min(trainingBatchSize(config), split.samples.length),
    lastBatch: 'drop',
    shuffle: true,
    seed: train.seed,
    onBroken: data.onBroken,
    workers: data.workers,
    bytes: takesBytes(),
  });
}

/** Every image once, resized and cropped at a place that is always the same, for the loss on validation images. */
export function measuredBatches(
  config: SegmentationConfig,
  split: SegmentationSplit,
  classes: number,
): BatchSource<SegmentationBatch<PixelTensor>> {
  const { data, input } = config;
  const { crop, ...scale } = input;
  const unchanged = { ratioRange: [1, 1], catMaxRatio: 1, flip: 0, photometric: false } as const;
  return openSegmentationBatches({
    samples: split.samples,
    coding: codingOf(config, classes),
    transform: { ...unchanged, scale, crop, normalisation: IMAGENET_NORMALISATION, decode: decodingOf(config) },
    batchSize: Math.min(evaluationBatchSize(config), split.samples.length),
    shuffle: false,
    seed: 0,
    workers: data.workers,
    bytes: takesBytes(),
  });
}
