/** What a backbone, its pyramid of feature maps and a classifier are. */
import * as tf from '@tensorflow/tfjs-core';
import type { MapSize } from '@pyramidal/kernels';
import { type ForwardPass, inferencePass } from './forward-pass';
import { Module } from './module';

/** A level of the pyramid, named as in the FPN paper: C2 is at stride 4, C5 at stride 32. */
export type Level = 'C2' | 'C3' | 'C4' | 'C5';
export const LEVELS: readonly Level[] = ['C2', 'C3', 'C4', 'C5'];

/** What is known of a level before anything runs. */
export interface LevelSpec {
  /** Pixels of the image per cell of the map. */
  readonly stride: number;
  readonly channels: number;
}

/** Feature maps, float32 [N, height, width, channels], the sizes as the backbone's `mapSizes` gives them. */
export type Pyramid = Readonly<Record<Level, tf.Tensor4D>>;

/** Turns images into a four-level feature pyramid. Some families hand their own heads more than the pyramid. */
export abstract class Backbone<Features extends Pyramid = Pyramid> extends Module {
  /** Known before anything runs: necks and heads take their sizes from here. */
  abstract readonly levels: Readonly<Record<Level, LevelSpec>>;

  /** @param images float32 [N, H, W, 3], normalised; any H and W of at least 32. */
  abstract forward(images: tf.Tensor4D, pass: ForwardPass): Features;

  /**
   * The maps of a batch at inference; everything in between is disposed of.
   * @param images as `forward` takes them.
   * @returns float32 [N, height, width, channels] by level; the caller disposes of them.
   * @throws Error if the images have another dtype, rank, number of channels, or are too small.
   */
  extract(images: tf.Tensor4D): Pyramid {
    checkImages(images);
    return tf.tidy(() => {
      const { C2, C3, C4, C5 } = this.forward(images, inferencePass());
      return { C2, C3, C4, C5 };
    });
  }

  /**
   * Freezes everything up to and including a stage, and lets the rest train: `freezeThrough('C3')` fine-tunes what makes
   * C4 and C5. Call it before the optimizer is made.
   * @param last 'none' trains it all, 'C5' nothing; 'stem' is what comes before the first stage, where there is such.
   */
  freezeThrough(last: 'none' | 'stem' | Level): void {
    const frozen = ['stem', ...LEVELS].indexOf(last);
    for (const [name, parameter] of this.state()) parameter.isFrozen = this.stageOf(name) <= frozen;
  }

  /** The stage that a parameter belongs to, by its official name: 0 the stem, 1 to 4 what makes C2 to C5. */
  protected abstract stageOf(name: string): number;

  /** Cells of every map for images of a size: ceil(size / stride) by default; a family may round otherwise. */
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

/** Images of less than this many pixels a side leave C5 without a cell. */
const MIN_IMAGE = 32;

function checkImages({ dtype, shape }: tf.Tensor): void {
  const [, height = 0, width = 0, channels] = shape;
  if (dtype === 'float32' && shape.length === 4 && channels === 3 && Math.min(height, width) >= MIN_IMAGE) return;
  throw new Error(
    `extract: expected images float32 [N, H, W, 3] of at least ${MIN_IMAGE}x${MIN_IMAGE}, received ${dtype} [${shape.join(', ')}]`,
  );
}
