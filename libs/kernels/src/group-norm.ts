/** Group normalisation (Wu & He 2018) and its gradient. */
import * as tf from '@tensorflow/tfjs-core';
import { lastAxis } from './rows';

/** The settings of a group norm. */
export interface GroupNormOptions {
  /** Channels lie in so many groups of equal size, each normalised for itself. */
  readonly groups: number;
  /** Added to the variance. */
  readonly epsilon: number;
}

/**
 * Normalises every group of channels of every sample over all its cells, with the biased variance.
 * @param x float32 [N, ..., C].
 * @param scale float32 [C].
 * @param offset float32 [C].
 * @returns the shape of x.
 */
export function groupNorm<T extends tf.Tensor>(
  x: T,
  scale: tf.Tensor1D,
  offset: tf.Tensor1D,
  { groups, epsilon }: GroupNormOptions,
): T {
  const cells: [number, number, number] = [x.shape[0] ?? 1, -1, lastAxis(x)];
  return tf.customGrad((input, gamma, beta, save) => {
    const rows = tf.reshape<tf.Rank.R3>(input as tf.Tensor, cells);
    const [factor, shift] = [gamma as tf.Tensor1D, beta as tf.Tensor1D];
    const mean = overGroups(tf.mean(rows, 1), groups);
    const centred = tf.sub(rows, mean);
    const variance = overGroups(tf.mean(tf.square(centred), 1), groups);
    const inverseStd = tf.rsqrt(tf.add(variance, epsilon));
    const y = tf.add(tf.mul(centred, tf.mul(inverseStd, factor)), shift);
    (save as tf.GradSaveFunc)([rows, mean, inverseStd, factor]);
    return {
      value: tf.reshape(y, x.shape),
      gradFunc: (dy: tf.Tensor, saved: tf.Tensor[]) => gradients(dy, saved, groups),
    };
  })(x, scale, offset) as T;
}

function gradients(dy: tf.Tensor, saved: tf.Tensor[], groups: number): tf.Tensor[] {
  const [rows, mean, inverseStd, scale] = saved as [tf.Tensor3D, tf.Tensor3D, tf.Tensor3D, tf.Tensor1D];
  const slopes = tf.reshape<tf.Rank.R3>(dy, rows.shape);
  const normal = tf.mul(tf.sub(rows, mean), inverseStd);
  const along = tf.mul(slopes, normal);
  const [meanSlope, meanAlong] = [tf.mean<tf.Tensor2D>(slopes, 1), tf.mean<tf.Tensor2D>(along, 1)];
  const shift = tf.add(
    overGroups(tf.mul(meanSlope, scale), groups),
    tf.mul(normal, overGroups(tf.mul(meanAlong, scale), groups)),
  );
  const dx = tf.mul(tf.sub(tf.mul(slopes, scale), shift), inverseStd);
  const cells = rows.shape[1];
  const total = (means: tf.Tensor2D): tf.Tensor1D => tf.mul(tf.sum(means, 0), cells);
  return [tf.reshape(dx, dy.shape), total(meanAlong), total(meanSlope)];
}

/** The mean over each group, once per channel. @param perChannel float32 [N, C]. @returns float32 [N, 1, C]. */
function overGroups(perChannel: tf.Tensor, groups: number): tf.Tensor3D {
  const [samples, channels] = perChannel.shape as [number, number];
  const width = channels / groups;
  const means = tf.mean(tf.reshape(perChannel, [samples, groups, width]), 2, true);
  return tf.reshape(tf.tile(means, [1, 1, width]), [samples, 1, channels]);
}
