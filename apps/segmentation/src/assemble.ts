/** A configuration's segmentor, its loss, and how it takes images: where backbone, heads and data meet. */
import { colourTable, type EvaluationTransform, type LabelCoding, type SegmentationBatch } from '@pyramidal/ade20k';
import { backboneCatalogue, type BackboneCatalogue } from '@pyramidal/backbones';
import { buildAs } from '@pyramidal/config';
import { type DecodeOptions, IMAGENET_NORMALISATION, type PixelTensor } from '@pyramidal/images';
import { createPredictor, normalisedImages, type Predictor } from '@pyramidal/inference';
import { floatsOfBytes } from '@pyramidal/kernels';
import { ForwardPass, inferencePass } from '@pyramidal/nn';
import type { Losses } from '@pyramidal/training';
import type { Segmentor } from '@pyramidal/upernet';
import * as tf from '@tensorflow/tfjs-core';
import type { SegmentationConfig } from './config';
import { createSegmentor, HEADS, type HeadTable } from './heads';

/** What a configuration may name. */
export interface NetworkParts {
  readonly backbones?: BackboneCatalogue;
  readonly heads?: HeadTable;
}

/** The network that a configuration describes, without values yet. */
export function assembleSegmentor(
  { model }: SegmentationConfig,
  classes: number,
  { backbones = backboneCatalogue(), heads = HEADS }: NetworkParts = {},
): Segmentor {
  const { name, ...overrides } = model.backbone;
  const backbone = backbones.create(name, overrides);
  return buildAs('model', () => createSegmentor(model.head, { backbone, classes }, heads));
}

/** Tensors of a batch; of floats without `sizes`. */
export type SegmentationTensors = Pick<SegmentationBatch<PixelTensor>, 'images' | 'labels'> & {
  readonly sizes?: tf.Tensor2D;
} & tf.NamedTensorMap;

interface LossOptions {
  /** Changes the images on the engine. */
  readonly augment?: (images: tf.Tensor4D, seed: tf.Tensor1D) => tf.Tensor4D;
  /** By label; without them all classes count alike. */
  readonly classWeights?: readonly number[] | undefined;
}

/** The loss of one batch; static, so that a whole step compiles. */
export function lossOf(
  segmentor: Segmentor,
  { train: { recompute, syncBatchNorm } }: SegmentationConfig,
  { augment = unchanged, classWeights }: LossOptions = {},
) {
  const batchNorm = syncBatchNorm ? 'shared' : 'batch';
  return (batch: SegmentationTensors, seed: tf.Tensor1D): Losses => {
    const pass = new ForwardPass({ mode: 'train', seed, recompute, batchNorm });
    const { images, labels } = unpacked(batch);
    return segmentor.loss(augment(images, seed), labels, pass, classWeights);
  };
}

/** The same as at inference. */
export const measuredLossOf =
  (segmentor: Segmentor, classWeights?: readonly number[]) =>
  (batch: SegmentationTensors): Losses => {
    const { images, labels } = unpacked(batch);
    return segmentor.loss(images, labels, inferencePass(), classWeights);
  };

/** Normalised images, and an int32 for each label. */
function unpacked({ images, labels, sizes }: SegmentationTensors) {
  const isBytes = images.dtype === 'int32';
  return {
    images: normalisedImages(images, sizes),
    labels: isBytes ? (tf.cast(floatsOfBytes(labels), 'int32') as tf.Tensor3D) : labels,
  };
}

const unchanged = (images: tf.Tensor4D, _seed: tf.Tensor1D): tf.Tensor4D => images;

/**
 * The network as one function of images. Windows share a size, so that they share a graph; whole images do not, and
 * recording a graph for each small one would cost more than it saves.
 */
export function segmentorPredictor(
  segmentor: Segmentor,
  { inference, runtime }: SegmentationConfig,
): Predictor<tf.Tensor4D> {
  const compile = runtime.compile && (inference.mode === 'slide' || 'large');
  return createPredictor((images) => segmentor.forward(images, inferencePass()), { compile });
}

export const codingOf = (
  { data: { reduceZeroLabel, colours } }: Pick<SegmentationConfig, 'data'>,
  classes: number,
): LabelCoding => ({
  classes,
  reduceZeroLabel,
  ...(colours !== undefined && { colours: colourTable(colours) }),
});

/** How images are read. */
export const decodingOf = ({ data: { orientation, maxPixels } }: SegmentationConfig): DecodeOptions => ({
  orientation,
  maxPixels,
});

export function evaluationTransform(config: SegmentationConfig): EvaluationTransform {
  const { longest, shortest } = config.input;
  const { ratios } = config.testTime;
  return { scale: { longest, shortest }, ratios, normalisation: IMAGENET_NORMALISATION, decode: decodingOf(config) };
}
