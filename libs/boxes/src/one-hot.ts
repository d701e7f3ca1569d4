/** Labels as rows of zeros and a one. */
import * as tf from '@tensorflow/tfjs-core';

/**
 * Rows that hold 1 at their label and 0 elsewhere. Unlike `tf.oneHot` it takes a single class too.
 * @param labels int32 [R]; one that is no class gives a row of zeros.
 * @returns float32 [R, classes].
 */
export function oneHot(labels: tf.Tensor1D, classes: number): tf.Tensor2D {
  return tf.tidy(() => {
    const isClass: tf.Tensor2D = tf.equal(tf.expandDims(labels, 1), tf.range(0, classes, 1, 'int32'));
    return tf.cast(isClass, 'float32');
  });
}
