import * as tf from '@tensorflow/tfjs-core';

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
 */
export function batchNormInfer<T extends tf.Tensor>(x: T, options: BatchNormInferOptions): T {
  const { mean, variance, scale, offset, epsilon } = options;
  return tf.tidy(() => {
    const factor = tf.mul(scale, tf.rsqrt(tf.add(variance, epsilon)));
    return tf.add(tf.mul(x, factor), tf.sub(offset, tf.mul(mean, factor)));
  }) as T;
}

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
export function batchNormTrain<T extends tf.Tensor>(
  x: T,
  scale: tf.Tensor1D,
  offset: tf.Tensor1D,
  epsilon: number,
): BatchNormTrainResult<T> {
  return tf.tidy(() => {
    const axes = x.shape.slice(0, -1).map((_, axis) => axis);
    const { mean, variance } = batchStatistics(x, axes);
    const y = tf.add(tf.mul(normalize(x, mean, variance, axes, epsilon), scale), offset) as T;
    return { y, mean, variance };
  });
}

/** Mean and biased variance, cut off from the gradient. */
function batchStatistics(x: tf.Tensor, axes: number[]): { mean: tf.Tensor1D; variance: tf.Tensor1D } {
  const mean = tf.mean(x, axes) as tf.Tensor1D;
  return { mean, variance: tf.mean(tf.square(tf.sub(x, mean)), axes) as tf.Tensor1D };
}

/** `(x - mean) / sqrt(variance + epsilon)`, whose gradient knows that mean and variance are x's own. */
function normalize(x: tf.Tensor, mean: tf.Tensor1D, variance: tf.Tensor1D, axes: number[], epsilon: number): tf.Tensor {
  return tf.customGrad((input, save) => {
    const inverseStd = tf.rsqrt(tf.add(variance, epsilon));
    const normal = tf.mul(tf.sub(input as tf.Tensor, mean), inverseStd);
    (save as tf.GradSaveFunc)([normal, inverseStd]);
    return {
      value: normal,
      gradFunc: (dy: tf.Tensor, saved: tf.Tensor[]) => {
        const [y, r] = saved as [tf.Tensor, tf.Tensor];
        const along = tf.mul(y, tf.mean(tf.mul(dy, y), axes));
        return tf.mul(r, tf.sub(tf.sub(dy, tf.mean(dy, axes)), along));
      },
    };
  })(x);
}
