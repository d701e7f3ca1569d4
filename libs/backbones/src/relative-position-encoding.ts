/** Convolutional relative position encoding of CoaT (Xu et al. 2021), which GroupMixFormer uses too. */
import type * as tf from '@tensorflow/tfjs-core';
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

  /** @param channels of all heads together. */
  constructor(channels: number) {
    super();
    this.convList = WINDOWS.map(([window, heads]) => new DepthwiseConv2d((heads * channels) / HEADS, window));
  }

  /**
   * @param x float32 [N, H, W, I], whose channels from `first` on are the values.
   * @returns float32 [N, H, W, channels].
   */
  forward(x: tf.Tensor4D, first: number): tf.Tensor4D {
    return DepthwiseConv2d.sideBySide(this.convList, x, first);
  }
}
