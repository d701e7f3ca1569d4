import type * as tf from '@tensorflow/tfjs-core';
import { type Backbone, type ForwardPass, LEVELS, Module } from '@pyramidal/nn';
import type { Detections } from './detections';
import type { DrawKeys } from './sampler';
import type { TruthBatch } from './truth';

/** What stands between a backbone and the heads. */
export interface Neck extends Module {
  /** Of every output. */
  readonly channels: number;
  /** Pixels per cell of every output. */
  readonly strides: readonly number[];
  forward(maps: readonly tf.Tensor4D[]): tf.Tensor4D[];
}

export interface ImageBatch {
  /** float32 [N, H, W, 3], normalised, padded at the right and bottom. */
  readonly images: tf.Tensor4D;
  /** float32 [N, 2], (height, width) of each image within the batch. */
  readonly sizes: tf.Tensor2D;
}

/** What a batch costs, part by part, and figures to watch. */
export type DetectionLosses = {
  /** What to minimise. */
  readonly loss: tf.Scalar;
} & Readonly<Record<string, tf.Scalar>>;

/** Finds boxes, and masks if it can, in the maps that a neck makes of a backbone's pyramid. */
export abstract class Detector extends Module {
  constructor(
    readonly backbone: Backbone,
    readonly neck: Neck,
  ) {
    super();
  }

  /**
   * Losses of a batch; static, so that a whole training step compiles.
   * @param drawKeys decides what is learned from, where that is drawn at random.
   */
  abstract loss(batch: ImageBatch, truth: TruthBatch, drawKeys: DrawKeys, pass: ForwardPass): DetectionLosses;

  /**
   * Detections of every image, their boxes in pixels of the original images.
   * @param scales float32 [N, 2], (y, x): sides of the network's input over those of the original image.
   */
  abstract predict(batch: ImageBatch, scales: tf.Tensor2D, pass: ForwardPass): Detections[];

  /** The neck's maps, finest first. */
  protected pyramid(images: tf.Tensor4D, pass: ForwardPass): tf.Tensor4D[] {
    const pyramid = this.backbone.forward(images, pass);
    return this.neck.forward(LEVELS.map((level) => pyramid[level]));
  }
}
