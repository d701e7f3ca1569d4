/** Where the gradient ends: proposals and moved boxes are inputs of the next stage, not functions of the weights. */
import * as tf from '@tensorflow/tfjs-core';

/** Computes a tensor that sends no gradient back, however it is made. */
export function detached<T extends tf.Tensor>(compute: () => T): T {
  return tf.customGrad(() => ({ value: compute(), gradFunc: () => [] }))() as T;
}
