/** A configuration's network, its loss, and its batches: where backbone, neck, heads and data meet. */
import { backboneCatalogue, type BackboneCatalogue } from '@pyramidal/backbones';
import { type Detector, randomKeys } from '@pyramidal/boxes';
import {
  type DetectionBatch,
  type DetectionSample,
  type DetectionTransform,
  type ImageTransform,
  openDetectionBatches,
  repeatFactors,
} from '@pyramidal/coco';
import { type DecodeOptions, IMAGENET_NORMALISATION } from '@pyramidal/images';
import type { BatchSource } from '@pyramidal/loading';
import { ForwardPass, inferencePass } from '@pyramidal/nn';
import { evaluationBatchSize, trainingBatchSize } from '@pyramidal/task';
import type { Losses } from '@pyramidal/training';
import type * as tf from '@tensorflow/tfjs-core';
import type { DetectionConfig } from './config';
import { createDetector, DETECTORS, type DetectorTable } from './detectors';

/** What a configuration may name. */
export interface NetworkParts {
  readonly backbones?: BackboneCatalogue;
  readonly detectors?: DetectorTable;
}

/** The network that a configuration describes, without values yet. */
export function assembleDetector(
  { model }: DetectionConfig,
  classes: number,
  { backbones = backboneCatalogue(), detectors = DETECTORS }: NetworkParts = {},
): Detector {
  const { name, ...overrides } = model.backbone;
  const backbone = backbones.create(name, overrides);
  return createDetector(model.detector, { backbone, neckChannels: model.neck.channels, classes }, detectors);
}

export type DetectionTensors = DetectionBatch['tensors'] & tf.NamedTensorMap;

/** The loss of one batch; static, so that a whole step compiles. */
export function lossOf(detector: Detector, { train: { recompute } }: DetectionConfig, augment = unchanged) {
  return ({ images, sizes, ...truth }: DetectionTensors, seed: tf.Tensor1D): Losses => {
    const seen = { images: augment(images, seed), sizes };
    return detector.loss(seen, truth, randomKeys(seed), new ForwardPass({ mode: 'train', seed, recompute }));
  };
}

/** The same as at inference, for batches of `measuredBatches`. */
export const measuredLossOf =
  (detector: Detector) =>
  ({ images, sizes, ...truth }: DetectionTensors, seed: tf.Tensor1D): Losses =>
    detector.loss({ images, sizes }, truth, randomKeys(seed), inferencePass());

const unchanged = (images: tf.Tensor4D, _seed: tf.Tensor1D): tf.Tensor4D => images;

/** The largest wide image of a configuration, padded as a detector takes it. */
export function inputSize(
  { input: { shortest, longest } }: DetectionConfig,
  { backbone }: Detector,
): { height: number; width: number } {
  const { stride } = backbone.levels.C5;
  const padded = (side: number): number => stride * Math.ceil(side / stride);
  return { height: padded(shortest), width: padded(longest) };
}

/** Whether steps run as one graph; adaptive RoIAlign reads values, which no graph can. */
export function compiles({ runtime, model: { detector } }: DetectionConfig): boolean {
  return runtime.compile && !('sampling' in detector && detector.sampling === 'adaptive');
}

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
): BatchSource<DetectionBatch> {
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
): BatchSource<DetectionBatch> {
  const { data, input, train } = config;
  return openDetectionBatches({
    samples,
    transform: { ...truthTransform(config, detector), scales: [input] },
    batchSize: Math.min(evaluationBatchSize(config), samples.length),
    shuffle: true,
    seed: train.seed,
    workers: data.workers,
  });
}

/** How often images with rare categories are seen, where the configuration asks for it. */
export const factorsOf = (
  { data: { repeatThreshold } }: DetectionConfig,
  samples: readonly DetectionSample[],
): readonly number[] | undefined =>
  repeatThreshold === undefined ? undefined : repeatFactors(samples, repeatThreshold);

const truthTransform = (config: DetectionConfig, { maskSide = 0 }: Pick<Detector, 'maskSide'>) => ({
  normalisation: IMAGENET_NORMALISATION,
  maskSide,
  maxObjects: config.data.maxObjects,
  decode: decodingOf(config),
});

/** How images are read. */
export const decodingOf = ({ data: { orientation, maxPixels } }: DetectionConfig): DecodeOptions => ({
  orientation,
  maxPixels,
});

/** An image as it is, in the size that the network takes. */
export const plainTransform = (config: DetectionConfig): ImageTransform => ({
  scale: config.input,
  normalisation: IMAGENET_NORMALISATION,
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
