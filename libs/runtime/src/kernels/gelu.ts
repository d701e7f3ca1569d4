import * as tf from '@tensorflow/tfjs-core';

/**
 * Gaussian error linear unit in its exact form, `x * Phi(x)` with the error function (Hendrycks and Gimpel, 2016).
 * @param x float32, any shape.
 */
export function gelu<T extends tf.Tensor>(x: T): T {
  return geluWithGradient(x) as T;
}

/** With `a = x / sqrt(2)`: the slope is `Phi(x) + a exp(-a^2) / sqrt(pi)`. */
const geluWithGradient = tf.customGrad((x, save) => {
  const input = x as tf.Tensor;
  const scaled = tf.mul(input, Math.SQRT1_2);
  const cdf = tf.mul(tf.add(tf.erf(scaled), 1), 0.5);
  (save as tf.GradSaveFunc)([scaled, cdf]);
  return {
    value: tf.mul(cdf, input),
    gradFunc: (dy: tf.Tensor, saved: tf.Tensor[]) => {
      const [a, phi] = saved as [tf.Tensor, tf.Tensor];
      const bell = tf.exp(tf.sub(-Math.log(Math.PI) / 2, tf.square(a)));
      return tf.mul(dy, tf.add(phi, tf.mul(a, bell)));
    },
  };
});
