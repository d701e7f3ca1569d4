/** Depthwise convolutions by an operation of this project's addon. */
import * as tf from '@tensorflow/tfjs-core';
import { processorOps } from '#native-ops';
import { isTakingGradient } from './slope';

/** The filters of consecutive channels, with windows of their own size. */
export interface DepthwiseGroup {
  /** float32 [k, k, C, 1], k odd. */
  readonly filter: tf.Tensor4D;
  /** float32 [C]. */
  readonly bias: tf.Tensor1D;
}

/** Sizes of windows that the addon has loops for. */
const WINDOWS = new Set([3, 5, 7, 9]);

/**
 * Convolves each group at stride 1, with zeros around that keep the size, as one operation; null where that does not exist, or a
 * gradient is taken.
 * @param x float32 [N, H, W, I].
 * @param first of the channels that are convolved.
 * @returns float32 [N, H, W, C of all groups].
 */
export function ownDepthwise(x: tf.Tensor4D, groups: readonly DepthwiseGroup[], first = 0): tf.Tensor4D | null {
  const own = isTakingGradient() ? null : processorOps();
  if (own === null || !groups.every(({ filter }) => hasLoops(filter))) return null;
  const [bias, ...others] = groups.map((group) => group.bias) as [tf.Tensor1D, ...tf.Tensor1D[]];
  return own.run<tf.Tensor4D>(
    'PyramidalMixedConv',
    [x, others.length === 0 ? bias : tf.concat1d([bias, ...others]), ...groups.map(({ filter }) => filter)],
    [own.int('windows', groups.length), own.int('first', first), own.string('activation', 'none')],
  );
}

const hasLoops = ({ shape: [height, width] }: tf.Tensor4D): boolean => height === width && WINDOWS.has(height);
