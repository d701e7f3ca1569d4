/**
 * Networks of published sizes on one batch of noise: their forward passes and their losses. Images are bytes in main memory, as a
 * training's loader gives them; `peers/card_contender.py` has the same.
 */
import { createClassifier } from '@pyramidal/backbones';
import { loadConfig } from '@pyramidal/config';
import { assembleDetector, detectionSchema } from '@pyramidal/detection';
import { randomKeys } from '@pyramidal/detector';
import type { TensorTree } from '@pyramidal/graph';
import { pixelTensor, type PixelTensor } from '@pyramidal/images';
import { normalisedImages } from '@pyramidal/inference';
import { takesBytes } from '@pyramidal/task';
import { crossEntropy, ForwardPass, inferencePass, type Module } from '@pyramidal/nn';
import { assembleSegmentor, segmentationSchema } from '@pyramidal/segmentation';
import type { Batch, Losses } from '@pyramidal/training';
import * as tf from '@tensorflow/tfjs-core';
import { join } from 'node:path';
import { randomBatch } from '../detection/random-batch';

export interface SpeedCase {
  readonly network: 'classifier' | 'mask-rcnn' | 'upernet';
  readonly backbone: 'groupmixformer_tiny' | 'groupmixformer_small';
  readonly batch: number;
  readonly height: number;
  readonly width: number;
  /** Of a detector, for each image of a training step; as published unless given. */
  readonly regions?: number;
  /** Of convolutions; what TensorFlow chooses for the card unless given. */
  readonly layout?: 'NHWC';
}

export const CONFIGS = join(__dirname, '../../../../configs');
export const CLASSES = { classifier: 1000, 'mask-rcnn': 80, upernet: 150 } as const;

/** A network on one batch. */
export interface Work<B extends Batch> {
  readonly module: Module;
  readonly batch: B;
  readonly forward: (batch: B) => TensorTree;
  readonly loss: (batch: B, seed: tf.Tensor1D) => Losses;
}

const training = (seed: tf.Tensor1D): ForwardPass => new ForwardPass({ mode: 'train', seed });

/** Normalised where the engine takes no bytes. */
function noise({ batch, height, width }: SpeedCase): PixelTensor {
  if (!takesBytes()) return tf.randomNormal<tf.Rank.R4>([batch, height, width, 3], 0, 1, 'float32', 1);
  const bytes = tf.tidy(() => tf.randomUniform([batch * height * width * 3], 0, 256, 'int32', 1).dataSync());
  return pixelTensor(Uint8Array.from(bytes), { height, width });
}

export function classifierWork(size: SpeedCase): Work<{ images: PixelTensor; labels: tf.Tensor1D }> {
  const module = createClassifier(size.backbone, CLASSES.classifier);
  return {
    module,
    batch: { images: noise(size), labels: tf.range(0, size.batch, 1, 'int32') },
    forward: ({ images }) => ({ logits: module.forward(normalisedImages(images), inferencePass()) }),
    loss: ({ images, labels }, seed) => ({
      loss: crossEntropy(module.forward(normalisedImages(images), training(seed)), labels),
    }),
  };
}

export function segmentorWork(size: SpeedCase): Work<{ images: PixelTensor; labels: tf.Tensor3D }> {
  const set = [`model.backbone.name=${size.backbone}`];
  const { config } = loadConfig(segmentationSchema, join(CONFIGS, 'segmentation/upernet_160k.yaml'), { set });
  const module = assembleSegmentor(config, CLASSES.upernet);
  const cells: [number, number, number] = [size.batch, size.height, size.width];
  return {
    module,
    batch: { images: noise(size), labels: tf.ones<tf.Rank.R3>(cells, 'int32') },
    forward: ({ images }) => ({ found: tf.argMax(module.forward(normalisedImages(images), inferencePass()), -1) }),
    loss: ({ images, labels }, seed) => module.loss(normalisedImages(images), labels, training(seed)),
  };
}

export function detectorWork(
  size: SpeedCase,
): Work<Omit<ReturnType<typeof randomBatch>, 'images'> & { images: PixelTensor }> {
  // As PyTorch's, it keeps what the backward pass reads.
  const set = [`model.backbone.name=${size.backbone}`, 'model.detector.sampling=2', 'train.recompute=false'];
  if (size.regions !== undefined) set.push(`model.detector.roiSample.count=${size.regions}`);
  const { config } = loadConfig(detectionSchema, join(CONFIGS, 'detection/mask-rcnn_1x.yaml'), { set });
  const module = assembleDetector(config, CLASSES['mask-rcnn']);
  const { images, ...truth } = randomBatch(size, CLASSES['mask-rcnn']);
  images.dispose();
  return {
    module,
    batch: { ...truth, images: noise(size) },
    forward: ({ images, sizes }) => {
      const found = module.predict(
        { images: normalisedImages(images, sizes), sizes },
        tf.onesLike(sizes),
        inferencePass(),
      );
      return { boxes: found.map(({ boxes }) => boxes), masks: found.flatMap(({ masks }) => masks ?? []) };
    },
    loss: ({ images, sizes, ...truth }, seed) =>
      module.loss({ images: normalisedImages(images, sizes), sizes }, truth, randomKeys(seed), training(seed)),
  };
}
