import * as tf from '@tensorflow/tfjs-core';

/** Computes a tensor that sends no gradient back, however it is made. */
export function detached<T extends tf.Tensor>(compute: () => T): T {
  return tf.customGrad(() => ({ value: compute(), gradFunc: () => [] }))() as T;
}
