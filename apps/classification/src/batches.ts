/** The batches that a configuration's training and its evaluation read. */
import { type ImageBatch, type ImageSplit, openImageBatches, parseRandAugment } from '@pyramidal/imagenet';
import { IMAGENET_NORMALISATION, type PixelTensor } from '@pyramidal/images';
import { evaluationBatchSize } from '@pyramidal/inference';
import type { BatchSource } from '@pyramidal/loading';
import { takesBytes, trainingBatchSize } from '@pyramidal/task';
import { decodingOf, evaluationTransform } from './assemble';
import type { ClassificationConfig } from './config';

/** Augmented, shuffled, full batches. */
export function trainingBatches(
  config: ClassificationConfig,
  split: ImageSplit,
  classes: number,
): BatchSource<ImageBatch<PixelTensor>> {
  const { data, input, augmentation, train } = config;
  const { randAugment, mixup, cutmix, repeats, ...crop } = augmentation;
  return openImageBatches({
    samples: split.samples,
    classes,
    transform: {
      kind: 'training',
      ...crop,
      size: input.size,
      normalisation: IMAGENET_NORMALISATION,
      decode: decodingOf(config),
      ...(randAugment === undefined ? {} : { randAugment: parseRandAugment(randAugment) }),
    },
    mix: { mixup, cutmix },
    repeats,
    bytes: takesBytes(),
    batchSize: Math.min(trainingBatchSize(config), split.samples.length),
    lastBatch: 'drop',
    shuffle: true,
    seed: train.seed,
    onBroken: data.onBroken,
    workers: data.workers,
  });
}

/** Every image of a split once, in order. */
export function evaluationBatches(
  config: ClassificationConfig,
  split: ImageSplit,
  classes: number,
): BatchSource<ImageBatch> {
  const { data, train } = config;
  return openImageBatches({
    samples: split.samples,
    classes,
    transform: evaluationTransform(config),
    batchSize: Math.min(evaluationBatchSize(config), split.samples.length),
    shuffle: false,
    seed: train.seed,
    onBroken: data.onBroken,
    workers: data.workers,
  });
}
