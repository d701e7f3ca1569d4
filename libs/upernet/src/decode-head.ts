/** What a decode head is: it turns feature maps into class logits, as MMSegmentation's `BaseDecodeHead`. */
import * as tf from '@tensorflow/tfjs-core';
import { Conv2d, type ForwardPass, initializers, Module } from '@pyramidal/nn';

/** Share of the channels that training drops before the classes are told apart. */
const DROPOUT = 0.1;

/** Feature maps from fine to coarse, float32 [N, H, W, C]. */
export type Maps = readonly tf.Tensor4D[];

/** Turns feature maps into class logits. */
export abstract class DecodeHead extends Module {
  readonly convSeg: Conv2d;

  constructor(
    channels: number,
    readonly classes: number,
  ) {
    super();
    this.convSeg = new Conv2d(channels, classes, 1, { init: initializers.normal(0.01) });
  }

  /** @returns logits, float32 [N, H, W, classes] at the size of the head's finest map. */
  forward(maps: Maps, pass: ForwardPass): tf.Tensor4D {
    return tf.tidy(() => this.convSeg.forward(dropChannels(this.decode(maps, pass), pass)));
  }

  /** @returns float32 [N, H, W, channels]. */
  protected abstract decode(maps: Maps, pass: ForwardPass): tf.Tensor4D;
}

/** Drops whole channels of a sample, as PyTorch's `Dropout2d`. */
function dropChannels(x: tf.Tensor4D, pass: ForwardPass): tf.Tensor4D {
  if (pass.mode === 'infer') return x;
  const [n, , , channels] = x.shape;
  return tf.mul(x, pass.dropout(tf.ones<tf.Rank.R4>([n, 1, 1, channels]), DROPOUT));
}
