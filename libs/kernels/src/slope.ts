/** Elementwise functions that keep their derivative, not their intermediate results, for the gradient. */
import * as tf from '@tensorflow/tfjs-core';

/** Values of a function and of its derivative at the same points. */
export interface ValueAndSlope {
  readonly value: tf.Tensor;
  readonly slope: tf.Tensor;
}

/**
 * Applies an elementwise function. Where a gradient is being taken the slope is found along with the value, so that
 * one tensor is kept for the backward pass instead of the function's intermediate results.
 * @param x float32, any shape. @returns float32, the same shape.
 */
export function applyWithSlope<T extends tf.Tensor>(
  x: T,
  valueOf: (x: tf.Tensor) => tf.Tensor,
  both: (x: tf.Tensor) => ValueAndSlope,
): T {
  if (!isTakingGradient()) return tf.tidy(() => valueOf(x)) as T;
  const withGradient = tf.customGrad((input, save) => {
    const { value, slope } = both(input as tf.Tensor);
    (save as tf.GradSaveFunc)([slope]);
    return { value, gradFunc: (dy: tf.Tensor, saved: tf.Tensor[]) => tf.mul(dy, saved[0] as tf.Tensor) };
  });
  return withGradient(x) as T;
}

/** Whether what runs now is being differentiated. */
export function isTakingGradient(): boolean {
  return tf.engine().state.gradientDepth > 0;
}
