/** What a neck is: the part between a backbone and its heads. */
import type * as tf from '@tensorflow/tfjs-core';
import type { Module } from './module';

/** What stands between a backbone and the heads, such as a feature pyramid: maps of one width, made of the backbone's. */
export interface Neck extends Module {
  /** Channels of every output. */
  readonly channels: number;
  /** Pixels of the image per cell of every output. */
  readonly strides: readonly number[];
  /**
   * @param maps float32 [N, H, W, C] of every level of the backbone, finest first.
   * @returns float32 [N, H, W, channels] of every output, finest first.
   */
  forward(maps: readonly tf.Tensor4D[]): tf.Tensor4D[];
}
