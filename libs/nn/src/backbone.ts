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

export type MapSize = readonly [height: number, width: number];

/** Feature maps, float32 [N, height, width, channels], the sizes as the backbone's `mapSizes` gives them. */
export type Pyramid = Readonly<Record<Level, tf.Tensor4D>>;

/** Turns images into a four-level feature pyramid. Some families hand their own heads more than the pyramid. */
export abstract class Backbone<Features extends Pyramid = Pyramid> extends Module {
  /** Known before anything runs: necks and heads take their sizes from here. */
  abstract readonly levels: Readonly<Record<Level, LevelSpec>>;

  /** @param images float32 [N, H, W, 3], normalised; any H and W of at least 32. */
  abstract forward(images: tf.Tensor4D, pass: ForwardPass): Features;

  /** Cells of every map for images of a size: ceil(size / stride) unless a family rounds otherwise. */
  mapSizes(height: number, width: number): Readonly<Record<Level, MapSize>> {
    const size = (level: Level): MapSize => {
      const { stride } = this.levels[level];
      return [Math.ceil(height / stride), Math.ceil(width / stride)];
    };
    return { C2: size('C2'), C3: size('C3'), C4: size('C4'), C5: size('C5') };
  }

  /** Multiply-adds of the products between activations for one image, as the papers count them. */
  abstract attentionMultiplyAdds(height: number, width: number): number;
}

/** A network that gives one row of class logits per image. */
export abstract class Classifier<Features extends Pyramid = Pyramid> extends Module {
  abstract readonly backbone: Backbone<Features>;
  abstract readonly classes: number;

  /** The head alone. @returns logits, float32 [N, classes]. */
  abstract classify(features: Features, pass: ForwardPass): tf.Tensor2D;

  /** @param images as the backbone takes them. @returns logits, float32 [N, classes]. */
  forward(images: tf.Tensor4D, pass: ForwardPass): tf.Tensor2D {
    return tf.tidy(() => this.classify(this.backbone.forward(images, pass), pass));
  }
}
