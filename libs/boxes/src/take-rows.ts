/** Rows by index, as an operation that compiles and has a gradient. */
import * as tf from '@tensorflow/tfjs-core';

/**
 * Rows of a tensor by index. Unlike `tf.gather` it reads no indices back, so that it can be compiled; indices must lie
 * within the tensor. The tensor receives a gradient.
 * @param x [A, ...]. @param indices int32 [R].
 * @returns [R, ...].
 */
export function takeRows<T extends tf.Tensor>(x: T, indices: tf.Tensor1D): T {
  const take = tf.customGrad((input, save) => {
    (save as tf.GradSaveFunc)([indices]);
    return {
      value: tf.gatherND(input as tf.Tensor, tf.expandDims(indices, 1)),
      gradFunc: (dy: tf.Tensor, saved: tf.Tensor[]) =>
        tf.unsortedSegmentSum(dy, saved[0] as tf.Tensor1D, x.shape[0] as number),
    };
  });
  return take(x) as T;
}
