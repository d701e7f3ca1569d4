import * as tf from '@tensorflow/tfjs-core';

/**
 * Layer normalisation over the last axis (Ba et al., 2016), with the biased variance.
 * @param x float32 [..., C].
 * @param scale float32 [C].
 * @param offset float32 [C].
 * @param epsilon added to the variance.
 */
export function layerNorm<T extends tf.Tensor>(x: T, scale: tf.Tensor1D, offset: tf.Tensor1D, epsilon: number): T {
  return tf.tidy(() => tf.add(tf.mul(normalizeLastAxis(x, epsilon), scale), offset)) as T;
}

/** `(x - mean) / sqrt(variance + epsilon)` per row. */
function normalizeLastAxis(x: tf.Tensor, epsilon: number): tf.Tensor {
  return tf.customGrad((input, save) => {
    const z = input as tf.Tensor;
    const centred = tf.sub(z, tf.mean(z, -1, true));
    const inverseStd = tf.rsqrt(tf.add(tf.mean(tf.square(centred), -1, true), epsilon));
    const normal = tf.mul(centred, inverseStd);
    (save as tf.GradSaveFunc)([normal, inverseStd]);
    return {
      value: normal,
      gradFunc: (dy: tf.Tensor, saved: tf.Tensor[]) => {
        const [y, r] = saved as [tf.Tensor, tf.Tensor];
        const along = tf.mul(y, tf.mean(tf.mul(dy, y), -1, true));
        return tf.mul(r, tf.sub(tf.sub(dy, tf.mean(dy, -1, true)), along));
      },
    };
  })(x);
}
