/** Batch normalisation (Ioffe & Szegedy 2015) with batch or given statistics, and its gradient. */
import * as tf from '@tensorflow/tfjs-core';
import { nativeOps, type NativeOps } from '#native-ops';
import * as overWorkers from './over-workers';
import { lastAxis, sumRows } from './rows';
import { isTakingGradient } from './slope';

/** The statistics and parameters of a batch norm at inference. */
export interface BatchNormInferOptions {
  /** float32 [C], running mean. */
  readonly mean: tf.Tensor1D;
  /** float32 [C], running variance. */
  readonly variance: tf.Tensor1D;
  /** float32 [C]. */
  readonly scale: tf.Tensor1D;
  /** float32 [C]. */
  readonly offset: tf.Tensor1D;
  /** Added to the variance. */
  readonly epsilon: number;
}

/**
 * Batch normalisation with given statistics (Ioffe and Szegedy, 2015), as one multiplication and one addition.
 * @param x float32 [..., C].
 * @returns the same shape.
 */
export function infer<T extends tf.Tensor>(x: T, options: BatchNormInferOptions): T {
  const { mean, variance, scale, offset, epsilon } = options;
  const native = nativeOps();
  return tf.tidy(() => {
    if (native !== null && !isTakingGradient()) return fusedInfer(native, x, options);
    const factor = tf.mul(scale, tf.rsqrt(tf.add(variance, epsilon)));
    return tf.add(tf.mul(x, factor), tf.sub(offset, tf.mul(mean, factor)));
  }) as T;
}

function fusedInfer(native: NativeOps, x: tf.Tensor, options: BatchNormInferOptions): tf.Tensor {
  const { mean, variance, scale, offset, epsilon } = options;
  const image = x.rank === 4 ? x : tf.reshape(x, [1, 1, -1, lastAxis(x)]);
  const attrs = [
    native.type('T', 'float32'),
    native.type('U', 'float32'),
    native.float('epsilon', epsilon),
    native.string('data_format', 'NHWC'),
    native.bool('is_training', false),
  ];
  const [y] = native.runMany('FusedBatchNormV3', [image, scale, offset, mean, variance], attrs, 6);
  return tf.reshape(y as tf.Tensor, x.shape);
}

/** The output of a batch norm in training, and the statistics for its running ones. */
export interface BatchNormTrainResult<T extends tf.Tensor> {
  /** float32 [..., C], as the input. */
  readonly y: T;
  /** float32 [C], the batch mean; carries no gradient. */
  readonly mean: tf.Tensor1D;
  /** float32 [C], the biased batch variance; carries no gradient. */
  readonly variance: tf.Tensor1D;
}

/**
 * Batch normalisation with the statistics of the batch, over all axes but the last.
 * @param x float32 [..., C].
 * @param scale float32 [C].
 * @param offset float32 [C].
 * @param epsilon added to the variance.
 */
export function train<T extends tf.Tensor>(
  x: T,
  scale: tf.Tensor1D,
  offset: tf.Tensor1D,
  epsilon: number,
): BatchNormTrainResult<T> {
  return tf.tidy(() => {
    const native = nativeOps();
    const rows = tf.reshape<tf.Rank.R2>(x, [-1, lastAxis(x)]);
    const { y, mean, variance } =
      native === null ? composed(rows, scale, offset, epsilon) : fused(native, rows, scale, offset, epsilon);
    return { y: tf.reshape(y, x.shape) as T, mean, variance };
  });
}

type Rows = BatchNormTrainResult<tf.Tensor2D>;

/** Statistics over the batches of all workers. */
export interface SharedBatchNormResult<T extends tf.Tensor> extends BatchNormTrainResult<T> {
  /** How many rows they are of, a float32 scalar. */
  readonly count: tf.Scalar;
}

/**
 * Batch normalisation with the statistics of the batches of all workers that run the step (Peng et al. 2018, MegDet,
 * section 3.3): sums, sums of squares and counts go over them in the forward pass, and their gradients in the backward pass.
 * @param shift float32 [C], the same at every worker: the nearer the mean, the more of the variance's digits are left.
 */
export function trainTogether<T extends tf.Tensor>(
  x: T,
  scale: tf.Tensor1D,
  offset: tf.Tensor1D,
  { epsilon, shift }: { readonly epsilon: number; readonly shift: tf.Tensor1D },
): SharedBatchNormResult<T> {
  return tf.tidy(() => {
    const rows = tf.reshape<tf.Rank.R2>(x, [-1, lastAxis(x)]);
    const { mean, variance, count } = sharedStatistics(rows, shift);
    const y = normalised(rows, scale, offset, { mean, variance, count, epsilon, total: overWorkers.sum });
    return { y: tf.reshape(y, x.shape) as T, mean, variance, count };
  });
}

/** Of each worker its count, and the sums of what is left of its rows without the shift, and of its squares. */
function sharedStatistics(x: tf.Tensor2D, shift: tf.Tensor1D) {
  const [own, channels] = x.shape;
  const moved = tf.sub(x, shift);
  const sums = overWorkers.sum(tf.concat1d([tf.tensor1d([own]), sumRows(moved), sumRows(tf.square(moved))]));
  const [count, first, second] = tf.split(sums, [1, channels, channels]) as [tf.Tensor1D, tf.Tensor1D, tf.Tensor1D];
  const rest = tf.div<tf.Tensor1D>(first, count);
  const variance: tf.Tensor1D = tf.relu(tf.sub<tf.Tensor1D>(tf.div<tf.Tensor1D>(second, count), tf.square(rest)));
  return { mean: tf.add<tf.Tensor1D>(shift, rest), variance, count: tf.squeeze<tf.Scalar>(count) };
}

interface Statistics {
  readonly mean: tf.Tensor1D;
  readonly variance: tf.Tensor1D;
  /** Of the rows that they are of. */
  readonly count: tf.Scalar;
  readonly epsilon: number;
  /** What a sum over this process's rows is over all of them. */
  readonly total: <T extends tf.Tensor>(sum: T) => T;
}

function composed(x: tf.Tensor2D, scale: tf.Tensor1D, offset: tf.Tensor1D, epsilon: number): Rows {
  const mean = tf.mean<tf.Tensor1D>(x, 0);
  const variance = tf.mean<tf.Tensor1D>(tf.square(tf.sub(x, mean)), 0);
  const count = tf.scalar(x.shape[0]);
  return { y: normalised(x, scale, offset, { mean, variance, count, epsilon, total: (x) => x }), mean, variance };
}

/** Rows by their own statistics, which the gradient knows them to be. */
function normalised(
  x: tf.Tensor2D,
  scale: tf.Tensor1D,
  offset: tf.Tensor1D,
  { mean, variance, count, epsilon, total }: Statistics,
): tf.Tensor2D {
  return tf.customGrad((input, gamma, beta, save) => {
    const inverseStd = tf.rsqrt(tf.add(variance, epsilon));
    const normal = tf.mul(tf.sub(input as tf.Tensor, mean), inverseStd);
    (save as tf.GradSaveFunc)([normal, inverseStd, gamma as tf.Tensor, count]);
    return {
      value: tf.add(tf.mul(normal, gamma as tf.Tensor), beta as tf.Tensor),
      gradFunc: (dy: tf.Tensor, saved: tf.Tensor[]) => gradients(dy, saved, total),
    };
  })(x, scale, offset) as tf.Tensor2D;
}

/** Of x over all workers; of scale and offset this worker's part. */
function gradients(dy: tf.Tensor, saved: tf.Tensor[], total: Statistics['total']): tf.Tensor[] {
  const [normal, inverseStd, scale, count] = saved as [tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor];
  const along = sumRows(tf.mul(dy, normal));
  const sum = sumRows(dy);
  const [alongAll, sumAll] = tf.split(total(tf.concat1d([along, sum])), 2) as [tf.Tensor, tf.Tensor];
  const shift = tf.div(tf.add(sumAll, tf.mul(normal, alongAll)), count);
  return [tf.mul(tf.sub(dy, shift), tf.mul(scale, inverseStd)), along, sum];
}

function fused(native: NativeOps, x: tf.Tensor2D, scale: tf.Tensor1D, offset: tf.Tensor1D, epsilon: number): Rows {
  const attrs = [
    native.type('T', 'float32'),
    native.type('U', 'float32'),
    native.float('epsilon', epsilon),
    native.string('data_format', 'NHWC'),
    native.bool('is_training', true),
  ];
  const [count, channels] = x.shape;
  const image = (rows: tf.Tensor): tf.Tensor4D => tf.reshape(rows, [1, 1, count, channels]);
  const empty = tf.tensor1d([]);
  const [normalized, mean, unbiased, ...reserved] = native.runMany(
    'FusedBatchNormV3',
    [image(x), scale, offset, empty, empty],
    [...attrs, native.float('exponential_avg_factor', 1)],
    6,
  );
  const y = tf.customGrad((input, gamma, _beta, save) => {
    (save as tf.GradSaveFunc)([input as tf.Tensor, gamma as tf.Tensor, ...reserved]);
    return {
      value: tf.reshape(normalized as tf.Tensor, x.shape),
      gradFunc: (dy: tf.Tensor, saved: tf.Tensor[]) => {
        const [z, ...others] = saved as [tf.Tensor, ...tf.Tensor[]];
        const [dx, dScale, dOffset] = native.runMany(
          'FusedBatchNormGradV3',
          [image(dy), image(z), ...others],
          attrs,
          5,
        );
        return [tf.reshape(dx as tf.Tensor, x.shape), dScale as tf.Tensor, dOffset as tf.Tensor];
      },
    };
  })(x, scale, offset) as tf.Tensor2D;
  const variance = tf.mul<tf.Tensor1D>(unbiased as tf.Tensor1D, (count - 1) / count);
  return { y, mean: mean as tf.Tensor1D, variance };
}
