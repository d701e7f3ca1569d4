import * as tf from '@tensorflow/tfjs-core';

/**
 * Gaussian error linear unit in its exact form, `x * Phi(x)` with the error function (Hendrycks and Gimpel, 2016).
 * @param x float32, any shape.
 */
export function gelu<T extends tf.Tensor>(x: T): T {
  return geluWithGradient(x) as T;
}

const geluWithGradient = tf.customGrad((x, save) => {
  const input = x as tf.Tensor;
  const cdf = normalCdf(input);
  (save as tf.GradSaveFunc)([input, cdf]);
  return {
    value: tf.mul(input, cdf),
    gradFunc: (dy: tf.Tensor, saved: tf.Tensor[]) => {
      const [z, phi] = saved as [tf.Tensor, tf.Tensor];
      const density = tf.mul(tf.exp(tf.mul(tf.square(z), -0.5)), 1 / Math.sqrt(2 * Math.PI));
      return tf.mul(dy, tf.add(phi, tf.mul(z, density)));
    },
  };
});

function normalCdf(x: tf.Tensor): tf.Tensor {
  return tf.mul(tf.add(tf.erf(tf.mul(x, Math.SQRT1_2)), 1), 0.5);
}
