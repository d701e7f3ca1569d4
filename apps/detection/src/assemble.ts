/** A configuration's network, its loss, and how it takes images: where backbone, neck, heads and data meet. */
import { backboneCatalogue, type BackboneCatalogue } from '@pyramidal/backbones';
import { buildAs } from '@pyramidal/config';
import { type Detector, randomKeys, type TruthBatch } from '@pyramidal/detector';
import type { DetectionBatch, ImageTransform } from '@pyramidal/coco';
import { type DecodeOptions, IMAGENET_NORMALISATION, type PixelTensor } from '@pyramidal/images';
import { recordsAdaptiveRois } from '@pyramidal/mask-rcnn';
import { ForwardPass, inferencePass } from '@pyramidal/nn';
import { normalisedImages } from '@pyramidal/inference';
import type { Losses } from '@pyramidal/training';
import * as tf from '@tensorflow/tfjs-core';
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
  const parts = { backbone, neckChannels: model.neck.channels, classes };
  return buildAs('model', () => createDetector(model.detector, parts, detectors));
}

export type DetectionTensors<Images extends PixelTensor = tf.Tensor4D> = DetectionBatch<Images>['tensors'] &
  tf.NamedTensorMap;

/** The loss of one batch; static, so that a whole step compiles. */
export function lossOf(
  detector: Detector,
  { train: { recompute, syncBatchNorm } }: DetectionConfig,
  augment = unchanged,
) {
  const batchNorm = syncBatchNorm ? 'shared' : 'batch';
  return ({ images, sizes, ...truth }: DetectionTensors<PixelTensor>, seed: tf.Tensor1D): Losses => {
    const seen = { images: augment(normalisedImages(images, sizes), seed), sizes };
    return detector.loss(
      seen,
      truthOf(truth),
      randomKeys(seed),
      new ForwardPass({ mode: 'train', seed, recompute, batchNorm }),
    );
  };
}

/** The same as at inference, for batches of `measuredBatches`. */
export const measuredLossOf =
  (detector: Detector) =>
  ({ images, sizes, ...truth }: DetectionTensors<PixelTensor>, seed: tf.Tensor1D): Losses =>
    detector.loss(
      { images: normalisedImages(images, sizes), sizes },
      truthOf(truth),
      randomKeys(seed),
      inferencePass(),
    );

/** Masks as numbers; they come as bits. */
function truthOf({ masks, ...truth }: TruthBatch): TruthBatch {
  return { ...truth, ...(masks && { masks: tf.cast(masks, 'float32') }) };
}

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

/** Whether steps run as one graph in the engine that is open: without an operation for it, adaptive RoIAlign reads values. */
export function compiles({ runtime, model: { detector } }: DetectionConfig): boolean {
  const isAdaptive = 'sampling' in detector && detector.sampling === 'adaptive';
  return runtime.compile && (!isAdaptive || recordsAdaptiveRois());
}

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
