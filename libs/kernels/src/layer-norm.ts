/** Layer normalisation (Ba et al. 2016) and its gradient. */
import * as tf from '@tensorflow/tfjs-core';
import { nativeOps } from '#native-ops';
import { type DifferentiableRows, ownDifferentiableLayerNorm, ownLayerNorm } from '#own-operations';
import { lastAxis, sumRows } from './rows';
import { isTakingGradient } from './slope';

/**
 * Layer normalisation over the last axis (Ba et al., 2016), with the biased variance. With the native engine's own operations
 * on a processor it is one, and its gradient another.
 * @param x float32 [..., C].
 * @param scale float32 [C].
 * @param offset float32 [C].
 * @param epsilon added to the variance.
 * @returns the shape of x.
 */
export function layerNorm<T extends tf.Tensor>(x: T, scale: tf.Tensor1D, offset: tf.Tensor1D, epsilon: number): T {
  if (isTakingGradient()) return differentiable(x, scale, offset, epsilon);
  return tf.tidy(() => {
    const rows = rowsOf(x);
    const fused = ownLayerNorm([rows, scale, offset], epsilon) ?? nativeOps()?.layerNorm(rows, scale, offset, epsilon);
    return tf.reshape(fused ?? composed(rows, scale, offset, epsilon).y, x.shape) as T;
  });
}

function differentiable<T extends tf.Tensor>(x: T, scale: tf.Tensor1D, offset: tf.Tensor1D, epsilon: number): T {
  return tf.customGrad((...args) => {
    const [input, gamma, beta, save] = args as [tf.Tensor, tf.Tensor1D, tf.Tensor1D, tf.GradSaveFunc];
    const rows = rowsOf(input);
    const normed = ownDifferentiableLayerNorm([rows, gamma, beta], epsilon) ?? composed(rows, gamma, beta, epsilon);
    save([...normed.saved]);
    const gradFunc = (dy: tf.Tensor, saved: tf.Tensor[]): tf.Tensor[] => {
      const [dx, ...others] = normed.gradients(rowsOf(dy), saved) as [tf.Tensor, ...tf.Tensor[]];
      return [tf.reshape(dx, dy.shape), ...others];
    };
    return { value: tf.reshape(normed.y, x.shape), gradFunc };
  })(x, scale, offset) as T;
}

const rowsOf = (x: tf.Tensor): tf.Tensor2D => tf.reshape(x, [-1, lastAxis(x)]);

function composed(x: tf.Tensor2D, scale: tf.Tensor1D, offset: tf.Tensor1D, epsilon: number): DifferentiableRows {
  const centred = tf.sub<tf.Tensor2D>(x, tf.mean<tf.Tensor2D>(x, 1, true));
  const variance = tf.mean<tf.Tensor2D>(tf.square(centred), 1, true);
  const inverseStd = tf.rsqrt(tf.add<tf.Tensor2D>(variance, epsilon));
  const normal = tf.mul<tf.Tensor2D>(centred, inverseStd);
  return { y: tf.add(tf.mul(normal, scale), offset), saved: [normal, inverseStd, scale], gradients };
}

function gradients(dy: tf.Tensor2D, saved: readonly tf.Tensor[]): tf.Tensor[] {
  const [normal, inverseStd, scale] = saved as [tf.Tensor2D, tf.Tensor2D, tf.Tensor1D];
  const along = tf.mul<tf.Tensor2D>(dy, normal);
  const scaled = tf.mul<tf.Tensor2D>(dy, scale);
  const shift = tf.add(tf.mean(scaled, 1, true), tf.mul(normal, tf.mean(tf.mul(along, scale), 1, true)));
  return [tf.mul(tf.sub(scaled, shift), inverseStd), sumRows(along), sumRows(dy)];
}
