/** Where a detector has to choose at random, keys decide: whoever runs it hands them in, from a seed. */
import type * as tf from '@tensorflow/tfjs-core';
import { random } from '@pyramidal/kernels';

/** float32 [count] in [0, 1]: boxes with higher keys are chosen first, equal ones by index. */
export type DrawKeys = (count: number) => tf.Tensor1D;

/** Keys from a seed, new ones at every call. @param seed int32 [2]. */
export function randomKeys(seed: tf.Tensor1D): DrawKeys {
  let draws = 0;
  return (count) => random.uniform<tf.Rank.R1>([count], random.foldSeed(seed, draws++));
}
