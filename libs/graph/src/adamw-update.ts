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
 * @param applies bool scalar; where it is false all three keep their values, as an update at rate 0 that forgets nothing,
 * and the gradient has to be finite all the same.
 */
export function adamWUpdate(
  state: AdamWState,
  gradient: tf.Tensor,
  scalars: AdamWScalars,
  constants: AdamWConstants,
  applies?: tf.Tensor,
): void {
  const { parameter } = state;
  tf.tidy(() => {
    const where: Choice = (value, otherwise) => (applies === undefined ? value : tf.where(applies, value, otherwise));
    const { keep } = scalars;
    if (keep !== undefined) parameter.assign(tf.mul(parameter, where(keep, tf.scalar(1))));
    if (activeRecording() === null) composed(state, gradient, scalars, constants, where);
    else inPlace(state, gradient, scalars, constants, where);
  });
}

/** The first value where the update applies, the other one elsewhere. */
type Choice = (value: tf.Tensor, otherwise: tf.Tensor) => tf.Tensor;

function composed(
  { parameter, average, square }: AdamWState,
  gradient: tf.Tensor,
  { stepSize, rootCorrection }: AdamWScalars,
  { beta1, beta2, epsilon }: AdamWConstants,
  where: Choice,
): void {
  average.assign(where(tf.add(average, tf.mul(tf.sub(gradient, average), 1 - beta1)), average));
  square.assign(where(tf.add(square, tf.mul(tf.sub(tf.square(gradient), square), 1 - beta2)), square));
  const root = tf.add(tf.div(tf.sqrt(square), rootCorrection), epsilon);
  parameter.assign(where(tf.sub(parameter, tf.mul(tf.div(average, root), stepSize)), parameter));
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
  where: Choice,
): void {
  const [none, one] = [tf.scalar(0), tf.scalar(1)];
  const rate = where(tf.mul(stepSize, rootCorrection), none);
  const [memory1, memory2] = [where(tf.scalar(beta1), one), where(tf.scalar(beta2), one)];
  const shift = tf.mul(rootCorrection, epsilon);
  activeRecording()?.updateInPlace(
    'ResourceApplyAdam',
    [parameter, average, square],
    [none, none, rate, memory1, memory2, shift, gradient],
  );
}
