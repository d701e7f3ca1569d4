/** A configuration's classifier, its loss, and how it takes images: where backbone and data meet. */
import { backboneCatalogue, type BackboneCatalogue } from '@pyramidal/backbones';
import { type DecodeOptions, IMAGENET_NORMALISATION, type PixelTensor } from '@pyramidal/images';
import type { ImageTransform } from '@pyramidal/imagenet';
import { type Classifier, crossEntropy, ForwardPass } from '@pyramidal/nn';
import * as tf from '@tensorflow/tfjs-core';
import { normalisedImages } from '@pyramidal/inference';
import type { Losses } from '@pyramidal/training';
import type { ClassificationConfig } from './config';

/** The network that a configuration describes, without values yet. */
export function assembleClassifier(
  { model }: ClassificationConfig,
  classes: number,
  backbones: BackboneCatalogue = backboneCatalogue(),
): Classifier {
  const { name, ...overrides } = model.backbone;
  return backbones.createClassifier(name, classes, overrides);
}

/** Images and soft targets of one batch. */
export type ClassificationBatch = { images: PixelTensor; targets: tf.Tensor2D };

interface LossOptions {
  /** Changes the images on the engine. */
  readonly augment?: (images: tf.Tensor4D, seed: tf.Tensor1D) => tf.Tensor4D;
  /** By label; without them all classes count alike. */
  readonly classWeights?: readonly number[] | undefined;
}

/** The loss of one batch; static, so that a whole step compiles. */
export function classificationLoss(
  classifier: Classifier,
  { loss: { labelSmoothing }, augmentation, train: { recompute, syncBatchNorm } }: ClassificationConfig,
  { augment = unchanged, classWeights }: LossOptions = {},
) {
  const batchNorm = syncBatchNorm ? 'shared' : 'batch';
  const isMixed = augmentation.mixup > 0 || augmentation.cutmix > 0;
  return ({ images, targets }: ClassificationBatch, seed: tf.Tensor1D): Losses => {
    const pass = new ForwardPass({ mode: 'train', seed, recompute, batchNorm });
    const logits = classifier.forward(augment(normalisedImages(images), seed), pass);
    // A weighted mean is another one of classes than of probabilities, which targets of unmixed images are too.
    const isByClass = classWeights !== undefined && !isMixed;
    const labels = isByClass ? tf.argMax<tf.Tensor1D>(targets, 1) : targets;
    return { loss: crossEntropy(logits, labels, { labelSmoothing, classWeights }) };
  };
}

const unchanged = (images: tf.Tensor4D, _seed: tf.Tensor1D): tf.Tensor4D => images;

/** How images are read. */
export const decodingOf = ({ data: { orientation, maxPixels } }: ClassificationConfig): DecodeOptions => ({
  orientation,
  maxPixels,
});

export function evaluationTransform(config: ClassificationConfig): ImageTransform {
  const decode = decodingOf(config);
  return { kind: 'validation', ...config.input, normalisation: IMAGENET_NORMALISATION, decode };
}
