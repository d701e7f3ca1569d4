import * as tf from '@tensorflow/tfjs-core';

/**
 * Adds a bias over the last axis.
 * @param x float32 [..., C].
 * @param bias float32 [C].
 */
export function biasAdd<T extends tf.Tensor>(x: T, bias: tf.Tensor1D): T {
  return tf.add(x, bias);
}
