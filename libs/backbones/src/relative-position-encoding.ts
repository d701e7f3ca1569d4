/** Convolutional relative position encoding of CoaT (Xu et al. 2021), which GroupMixFormer uses too. */
import * as tf from '@tensorflow/tfjs-core';
import { DepthwiseConv2d, Module } from '@pyramidal/nn';

/** Window -> heads that use it. */
const WINDOWS: readonly (readonly [window: number, heads: number])[] = [
  [3, 2],
  [5, 3],
  [7, 3],
];
const HEADS = 8;

/**
 * Convolutional relative position encoding (Xu et al. 2021, CoaT, section 4): eight heads look at the values through
 * windows of 3, 5 and 7 cells. What they see, times the queries, is added to the attention.
 */
export class RelativePositionEncoding extends Module {
  readonly convList: DepthwiseConv2d[];
  private readonly widths: number[];

  /** @param channels of all heads together. */
  constructor(channels: number) {
    super();
    this.widths = WINDOWS.map(([, heads]) => (heads * channels) / HEADS);
    this.convList = WINDOWS.map(([window], group) => new DepthwiseConv2d(this.widths[group]!, window));
  }

  /** @param values float32 [N, H, W, channels]. @returns the same shape. */
  forward(values: tf.Tensor4D): tf.Tensor4D {
    const groups = tf.split<tf.Tensor4D>(values, this.widths, 3);
    return tf.concat(
      this.convList.map((conv, group) => conv.forward(groups[group]!)),
      3,
    );
  }
}
