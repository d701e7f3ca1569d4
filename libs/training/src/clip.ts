/** Gradient clipping by the global norm, as PyTorch's `clip_grad_norm_`. */
import * as tf from '@tensorflow/tfjs-core';
import { sumOfSquares } from '@pyramidal/kernels';

/** Euclidean norm over all gradients together; a float32 scalar. */
export function globalNorm(gradients: ReadonlyMap<unknown, tf.Tensor>): tf.Scalar {
  const squares = [...gradients.values()].map((gradient) => sumOfSquares(gradient));
  return tf.sqrt(tf.addN(squares)) as tf.Scalar;
}

/** Scales all gradients by min(1, max / (norm + 1e-6)), as PyTorch's `clip_grad_norm_` does. */
export function clipByNorm<K>(gradients: ReadonlyMap<K, tf.Tensor>, norm: tf.Scalar, max: number): Map<K, tf.Tensor> {
  const coefficient = tf.minimum(1, tf.div(max, tf.add(norm, 1e-6)));
  return new Map([...gradients].map(([key, gradient]) => [key, tf.mul(gradient, coefficient)]));
}
