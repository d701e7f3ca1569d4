/** Activations in one pass over memory, by an operation of this project's addon. */
import type * as tf from '@tensorflow/tfjs-core';
import { processorOps } from '#native-ops';
import { isTakingGradient, type ValueAndSlope } from './slope';

/** Those of which the operation knows the derivative. */
type Activation = 'gelu' | 'hard_swish';

/**
 * The activation of x as one operation; null where that does not exist, or a gradient is taken. Graphs make it part of the operation
 * that gives x, where that can end with one.
 * @param x float32, any shape. @returns the same shape.
 */
export function ownActivation<T extends tf.Tensor>(x: T, activation: Activation): T | null {
  const own = isTakingGradient() ? null : processorOps();
  return own === null ? null : own.run<T>('PyramidalActivation', [x], [own.string('activation', activation)]);
}

/** The activation of x with its derivative as one operation; null where that does not exist. @param x float32, any shape. */
export function ownValueAndSlope(x: tf.Tensor, activation: Activation): ValueAndSlope | null {
  const own = processorOps();
  if (own === null) return null;
  const attrs = [own.string('activation', activation)];
  const [value, slope] = own.runMany('PyramidalActivationAndSlope', [x], attrs, 2) as [tf.Tensor, tf.Tensor];
  return { value, slope };
}
