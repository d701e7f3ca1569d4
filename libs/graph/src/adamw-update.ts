/** AdamW's update (Loshchilov and Hutter, 2019), composed or in place. */
import * as tf from '@tensorflow/tfjs-core';
import { activeRecording } from './record/record';

/** A parameter and its two moving averages, all of one shape. */
export interface AdamWState {
  readonly parameter: tf.Variable;
  readonly average: tf.Variable;
  readonly square: tf.Variable;
}

/** Scalars that change from update to update `t`, counted from 1. */
export interface AdamWScalars {
  /** `lr / (1 - beta1^t)`. */
  readonly stepSize: tf.Scalar;
  /** `sqrt(1 - beta2^t)`. */
  readonly rootCorrection: tf.Scalar;
  /** `1 - lr * weightDecay`; no decay where it is absent. */
  readonly keep?: tf.Scalar | undefined;
}

export interface AdamWConstants {
  readonly beta1: number;
  readonly beta2: number;
  /** Added after the bias-corrected square root, as PyTorch does. */
  readonly epsilon: number;
}

/**
 * One AdamW update (Loshchilov and Hutter, 2019), in the order of PyTorch's `AdamW`. A compiled step updates the three
 * tensors in place, in one pass.
 * @param gradient float32, the shape of the parameter.
 */
export function adamWUpdate(
  state: AdamWState,
  gradient: tf.Tensor,
  scalars: AdamWScalars,
  constants: AdamWConstants,
): void {
  const { parameter } = state;
  const { keep } = scalars;
  tf.tidy(() => {
    if (keep !== undefined) parameter.assign(tf.mul(parameter, keep));
    if (activeRecording() === null) composed(state, gradient, scalars, constants);
    else inPlace(state, gradient, scalars, constants);
  });
}

function composed(
  { parameter, average, square }: AdamWState,
  gradient: tf.Tensor,
  { stepSize, rootCorrection }: AdamWScalars,
  { beta1, beta2, epsilon }: AdamWConstants,
): void {
  average.assign(tf.add(average, tf.mul(tf.sub(gradient, average), 1 - beta1)));
  square.assign(tf.add(square, tf.mul(tf.sub(tf.square(gradient), square), 1 - beta2)));
  const root = tf.add(tf.div(tf.sqrt(square), rootCorrection), epsilon);
  parameter.assign(tf.sub(parameter, tf.mul(tf.div(average, root), stepSize)));
}

/**
 * TensorFlow's operation subtracts `lr sqrt(1 - b2) / (1 - b1) * average / (sqrt(square) + e)`. With both powers 0 and
 * the correction of the square root multiplied into `lr` and `e`, that is PyTorch's update.
 */
function inPlace(
  { parameter, average, square }: AdamWState,
  gradient: tf.Tensor,
  { stepSize, rootCorrection }: AdamWScalars,
  { beta1, beta2, epsilon }: AdamWConstants,
): void {
  const none = tf.scalar(0);
  const rate = tf.mul(stepSize, rootCorrection);
  const shift = tf.mul(rootCorrection, epsilon);
  activeRecording()?.updateInPlace(
    'ResourceApplyAdam',
    [parameter, average, square],
    [none, none, rate, tf.scalar(beta1), tf.scalar(beta2), shift, gradient],
  );
}
