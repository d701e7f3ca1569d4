/** Averages over the stages of a cascade. */
import * as tf from '@tensorflow/tfjs-core';

/** Of tensors of one shape. */
export function mean<T extends tf.Tensor>(values: T[]): T {
  const [first, ...others] = values;
  return first !== undefined && others.length === 0 ? first : (tf.div(tf.addN(values), values.length) as T);
}
