import * as tf from '@tensorflow/tfjs-core';
import type { ForwardPass } from './forward-pass';
import { Module } from './module';

export type Level = 'C2' | 'C3' | 'C4' | 'C5';
export const LEVELS: readonly Level[] = ['C2', 'C3', 'C4', 'C5'];

export interface LevelSpec {
  /** Pixels of the image per cell of the map. */
  readonly stride: number;
  readonly channels: number;
}

/** Feature maps, float32 [N, ceil(H / stride), ceil(W / stride), channels]. */
export type Pyramid = Readonly<Record<Level, tf.Tensor4D>>;

/** Turns images into a four-level feature pyramid. */
export abstract class Backbone extends Module {
  /** Known before anything runs: necks and heads take their sizes from here. */
  abstract readonly levels: Readonly<Record<Level, LevelSpec>>;

  /** @param images float32 [N, H, W, 3], normalised; any H and W of at least 32. */
  abstract forward(images: tf.Tensor4D, pass: ForwardPass): Pyramid;

  /** Multiply-adds of the products between activations for one image, as the papers count them. */
  abstract attentionMultiplyAdds(height: number, width: number): number;
}

/** A network that gives one row of class logits per image. */
export abstract class Classifier extends Module {
  abstract readonly backbone: Backbone;
  abstract readonly classes: number;

  /** The head alone. @returns logits, float32 [N, classes]. */
  abstract classify(pyramid: Pyramid, pass: ForwardPass): tf.Tensor2D;

  /** @param images as the backbone takes them. @returns logits, float32 [N, classes]. */
  forward(images: tf.Tensor4D, pass: ForwardPass): tf.Tensor2D {
    return tf.tidy(() => this.classify(this.backbone.forward(images, pass), pass));
  }
}
