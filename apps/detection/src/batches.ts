/** The batches that a configuration's training and its evaluation read. */
import type { Detector } from '@pyramidal/detector';
import {
  type DetectionBatch,
  type DetectionSample,
  type DetectionTransform,
  openDetectionBatches,
} from '@pyramidal/coco';
import { IMAGENET_NORMALISATION, type PixelTensor } from '@pyramidal/images';
import { evaluationBatchSize } from '@pyramidal/inference';
import type { BatchSource } from '@pyramidal/loading';
import { takesBytes, trainingBatchSize } from '@pyramidal/task';
import { decodingOf, plainTransform } from './assemble';
import type { DetectionConfig } from './config';
import { factorsOf } from './data';

/** What is done to a training image, with the masks that a detector learns from. */
export function trainingTransform(config: DetectionConfig, detector: Pick<Detector, 'maskSide'>): DetectionTransform {
  const { input, augmentation } = config;
  const { crop, shortest = [input.shortest], ...rest } = augmentation;
  const scalesOf = (sides: readonly number[]) => sides.map((side) => ({ shortest: side, longest: input.longest }));
  return {
    ...rest,
    ...truthTransform(config, detector),
    scales: scalesOf(shortest),
    ...(crop && { crop: { ...crop, scales: scalesOf(crop.shortest) } }),
  };
}

/** Augmented, shuffled, full batches, with the masks that a detector learns from. */
export function trainingBatches(
  config: DetectionConfig,
  samples: readonly DetectionSample[],
  detector: Detector,
): BatchSource<DetectionBatch<PixelTensor>> {
  const { data, train } = config;
  return openDetectionBatches({
    samples,
    transform: trainingTransform(config, detector),
    batchSize: Math.min(trainingBatchSize(config), samples.length),
    shuffle: true,
    factors: factorsOf(config, samples),
    seed: train.seed,
    onBroken: data.onBroken,
    workers: data.workers,
    bytes: takesBytes(),
  });
}

/**
 * Images as they are with their objects, for the loss on validation images: in the canvases and the full batches of
 * training, whose order is always the same; a last batch that is not full has some images a second time.
 */
export function measuredBatches(
  config: DetectionConfig,
  samples: readonly DetectionSample[],
  detector: Detector,
): BatchSource<DetectionBatch<PixelTensor>> {
  const { data, input, train } = config;
  return openDetectionBatches({
    samples,
    transform: { ...truthTransform(config, detector), scales: [input] },
    batchSize: Math.min(evaluationBatchSize(config), samples.length),
    shuffle: true,
    seed: train.seed,
    workers: data.workers,
    bytes: takesBytes(),
  });
}

const truthTransform = (config: DetectionConfig, { maskSide = 0 }: Pick<Detector, 'maskSide'>) => ({
  normalisation: IMAGENET_NORMALISATION,
  maskSide,
  maxObjects: config.data.maxObjects,
  decode: decodingOf(config),
});

/** Every image once, as it is, without its objects. */
export function plainBatches(
  config: DetectionConfig,
  samples: readonly DetectionSample[],
  batchSize: number,
): BatchSource<DetectionBatch> {
  const { data } = config;
  const { scale, ...transform } = plainTransform(config);
  return openDetectionBatches({
    samples: samples.map((sample) => ({ ...sample, objects: [], crowds: [] })),
    transform: { ...transform, scales: [scale], maskSide: 0, maxObjects: 0 },
    batchSize,
    shuffle: false,
    seed: 0,
    workers: data.workers,
  });
}
