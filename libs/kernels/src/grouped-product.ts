/** A small product of its own for each group of channels. */
import * as tf from '@tensorflow/tfjs-core';
import { processorOps } from '#native-ops';
import { biasAdd } from './bias-add';
import { isTakingGradient } from './slope';

/**
 * The n-th channels of all heads, times weights of their own, give the n-th group of outputs. With the native engine's own
 * operations on a processor it is one where no gradient is taken.
 * @param x float32 [..., H G]: heads of G channels side by side.
 * @param weights float32 [G, O, H].
 * @param bias float32 [G O].
 * @returns float32 [..., G O].
 */
export function groupedProduct<T extends tf.Tensor>(x: T, weights: tf.Tensor3D, bias: tf.Tensor1D): T {
  const own = isTakingGradient() ? null : processorOps({ isFloat32: true });
  if (own !== null) {
    const attrs = [own.int('statistics', 0), own.float('epsilon', 0), own.string('activation', 'none')];
    return own.run<T>('PyramidalGroupedProduct', [x, weights, bias], attrs);
  }
  return tf.tidy(() => {
    const [groups, outputs, heads] = weights.shape;
    const byGroup = tf.transpose(tf.reshape(x, [-1, heads, groups]), [2, 0, 1]);
    const mixed = tf.transpose(tf.matMul(byGroup, weights, false, true), [1, 0, 2]);
    return biasAdd(tf.reshape(mixed, [...x.shape.slice(0, -1), groups * outputs]) as T, bias);
  });
}
