/** Activations in one pass over memory, by an operation of this project's addon. */
import type * as tf from '@tensorflow/tfjs-core';
import { processorOps } from '#native-ops';
import { isTakingGradient } from './slope';

/**
 * The activation of x as one operation; null where that does not exist, or a gradient is taken. Graphs make it part of the operation
 * that gives x, where that can end with one.
 * @param x float32, any shape. @returns the same shape.
 */
export function ownActivation<T extends tf.Tensor>(x: T, activation: 'gelu' | 'hard_swish'): T | null {
  const own = isTakingGradient() ? null : processorOps();
  return own === null ? null : own.run<T>('PyramidalActivation', [x], [own.string('activation', activation)]);
}
