/** What attention is shown as. */
import * as tf from '@tensorflow/tfjs-core';

/** What each token gets of the weights on average. @param weights float32 [N, heads, T, S]. @returns float32 [N, S, heads]. */
export function averageOverQueries(weights: tf.Tensor4D): tf.Tensor3D {
  return tf.transpose(tf.mean<tf.Tensor3D>(weights, 2), [0, 2, 1]);
}

/** The weights that factorised attention gives the tokens: softmax over them. @returns float32 [N, T, A]. */
export function tokenWeights(keys: tf.Tensor3D): tf.Tensor3D {
  return tf.transpose(tf.softmax(tf.transpose(keys, [0, 2, 1])), [0, 2, 1]);
}
