/** A small product of its own for each group of channels. */
import * as tf from '@tensorflow/tfjs-core';
import { processorOps } from '#native-ops';
import { isTakingGradient } from './slope';

/**
 * The n-th channels of all heads, times weights of their own, give the n-th group of outputs. With the native engine's own
 * operations on a processor it is one where no gradient is taken.
 * @param x float32 [R, H, G]: rows of heads with G channels each.
 * @param weights float32 [G, O, H].
 * @returns float32 [R, G, O].
 */
export function groupedProduct(x: tf.Tensor3D, weights: tf.Tensor3D): tf.Tensor3D {
  const own = isTakingGradient() ? null : processorOps({ isFloat32: true });
  if (own !== null) return own.run<tf.Tensor3D>('PyramidalGroupedProduct', [x, weights], []);
  return tf.tidy(() => {
    const groups = tf.transpose(x, [2, 0, 1]) as tf.Tensor3D;
    const mixed: tf.Tensor3D = tf.matMul(groups, weights, false, true);
    return tf.transpose(mixed, [1, 0, 2]);
  });
}
