/** The GELU activation in its exact form. */
import * as tf from '@tensorflow/tfjs-core';
import { ownActivation, ownValueAndSlope } from '#own-operations';
import { applyWithSlope, type ValueAndSlope } from './slope';

/**
 * Gaussian error linear unit in its exact form, `x * Phi(x)` with the error function (Hendrycks and Gimpel, 2016).
 * @param x float32, any shape.
 * @returns the same shape.
 */
export function gelu<T extends tf.Tensor>(x: T): T {
  const valueOf = (input: tf.Tensor): tf.Tensor => tf.mul(normalCdf(tf.mul(input, Math.SQRT1_2)), input);
  return ownActivation(x, 'gelu') ?? applyWithSlope(x, valueOf, valueAndSlope);
}

const valueAndSlope = (x: tf.Tensor): ValueAndSlope => ownValueAndSlope(x, 'gelu') ?? composed(x);

/** With `a = x / sqrt(2)`: the slope is `Phi(x) + a exp(-a^2) / sqrt(pi)`. */
function composed(x: tf.Tensor): ValueAndSlope {
  const a = tf.mul(x, Math.SQRT1_2);
  const cdf = normalCdf(a);
  const bell = tf.exp(tf.sub(-Math.log(Math.PI) / 2, tf.square(a)));
  return { value: tf.mul(cdf, x), slope: tf.add(cdf, tf.mul(a, bell)) };
}

/** The cumulative normal distribution at x. @param scaled `x / sqrt(2)`. */
function normalCdf(scaled: tf.Tensor): tf.Tensor {
  return tf.mul(tf.add(tf.erf(scaled), 1), 0.5);
}
