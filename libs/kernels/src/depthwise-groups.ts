/** Depthwise convolutions whose groups of channels have windows of their own sizes (MixConv, Tan & Le 2019). */
import * as tf from '@tensorflow/tfjs-core';
import { depthwiseConv2d } from './conv';
import { ownDepthwise } from '#own-operations';
import type { DepthwiseGroup } from './own-depthwise';

/**
 * Convolves each group of channels with filters of its own, at stride 1 with zeros around that keep the size. With the native
 * engine's own operations on a processor it is one where no gradient is taken, and no channels are copied for it.
 * @param x float32 [N, H, W, I].
 * @param groups of consecutive channels.
 * @param first of the channels; those before it, and those after the last group, are left out.
 * @returns float32 [N, H, W, C of all groups].
 */
export function depthwiseGroups(x: tf.Tensor4D, groups: readonly DepthwiseGroup[], first = 0): tf.Tensor4D {
  return tf.tidy(() => ownDepthwise(x, groups, first) ?? composed(x, groups, first));
}

function composed(x: tf.Tensor4D, groups: readonly DepthwiseGroup[], first: number): tf.Tensor4D {
  const widths = groups.map(({ bias }) => bias.size);
  const width = widths.reduce((sum, channels) => sum + channels, 0);
  const channels = width === x.shape[3] ? x : tf.slice(x, [0, 0, 0, first], [-1, -1, -1, width]);
  const parts = tf.split<tf.Tensor4D>(channels, widths, 3);
  const convolved = groups.map(({ filter, bias }, group) => {
    const padding = (filter.shape[0] - 1) / 2;
    return depthwiseConv2d(parts[group]!, filter, { stride: 1, padding }, bias);
  });
  return tf.concat(convolved, 3);
}
