/** Layer normalisation (Ba et al. 2016) and its gradient. */
import * as tf from '@tensorflow/tfjs-core';
import { nativeOps, processorOps } from '#native-ops';
import { lastAxis, sumRows } from './rows';
import { isTakingGradient } from './slope';

/**
 * Layer normalisation over the last axis (Ba et al., 2016), with the biased variance. With the native engine's own operations
 * on a processor it is one where no gradient is taken.
 * @param x float32 [..., C].
 * @param scale float32 [C].
 * @param offset float32 [C].
 * @param epsilon added to the variance.
 * @returns the shape of x.
 */
export function layerNorm<T extends tf.Tensor>(x: T, scale: tf.Tensor1D, offset: tf.Tensor1D, epsilon: number): T {
  if (isTakingGradient()) return differentiable(x, scale, offset, epsilon);
  return tf.tidy(() => {
    const rows = tf.reshape<tf.Rank.R2>(x, [-1, lastAxis(x)]);
    const own = processorOps();
    const fused =
      own === null
        ? nativeOps()?.layerNorm(rows, scale, offset, epsilon)
        : own.run<tf.Tensor2D>('PyramidalLayerNorm', [rows, scale, offset], [own.float('epsilon', epsilon)]);
    const y = fused ?? tf.add(tf.mul(normalizeRows(rows, epsilon).normal, scale), offset);
    return tf.reshape(y, x.shape) as T;
  });
}

function differentiable<T extends tf.Tensor>(x: T, scale: tf.Tensor1D, offset: tf.Tensor1D, epsilon: number): T {
  return tf.customGrad((input, gamma, beta, save) => {
    const rows = tf.reshape<tf.Rank.R2>(input as tf.Tensor, [-1, lastAxis(input as tf.Tensor)]);
    const { normal, inverseStd } = normalizeRows(rows, epsilon);
    const y = tf.add(tf.mul(normal, gamma as tf.Tensor1D), beta as tf.Tensor1D);
    (save as tf.GradSaveFunc)([normal, inverseStd, gamma as tf.Tensor1D]);
    return { value: tf.reshape(y, x.shape), gradFunc: (dy: tf.Tensor, saved: tf.Tensor[]) => gradients(dy, saved) };
  })(x, scale, offset) as T;
}

function normalizeRows(x: tf.Tensor2D, epsilon: number): { normal: tf.Tensor2D; inverseStd: tf.Tensor2D } {
  const centred = tf.sub<tf.Tensor2D>(x, tf.mean<tf.Tensor2D>(x, 1, true));
  const variance = tf.mean<tf.Tensor2D>(tf.square(centred), 1, true);
  const inverseStd = tf.rsqrt(tf.add<tf.Tensor2D>(variance, epsilon));
  return { normal: tf.mul(centred, inverseStd), inverseStd };
}

function gradients(dy: tf.Tensor, saved: tf.Tensor[]): tf.Tensor[] {
  const [normal, inverseStd, scale] = saved as [tf.Tensor2D, tf.Tensor2D, tf.Tensor1D];
  const rows = tf.reshape<tf.Rank.R2>(dy, normal.shape);
  const along = tf.mul<tf.Tensor2D>(rows, normal);
  const scaled = tf.mul<tf.Tensor2D>(rows, scale);
  const shift = tf.add(tf.mean(scaled, 1, true), tf.mul(normal, tf.mean(tf.mul(along, scale), 1, true)));
  const dx = tf.mul(tf.sub(scaled, shift), inverseStd);
  return [tf.reshape(dx, dy.shape), sumRows(along), sumRows(rows)];
}
