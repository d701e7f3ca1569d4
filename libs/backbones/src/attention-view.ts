/** What attention is shown as. */
import * as tf from '@tensorflow/tfjs-core';

/** What each token gets of the weights on average. @param weights float32 [N, heads, T, S]. @returns float32 [N, S, heads]. */
export function averageOverQueries(weights: tf.Tensor4D): tf.Tensor3D {
  return tf.transpose(tf.mean<tf.Tensor3D>(weights, 2), [0, 2, 1]);
}
