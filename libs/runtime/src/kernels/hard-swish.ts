import * as tf from '@tensorflow/tfjs-core';

/**
 * Hard swish, `x * relu6(x + 3) / 6` (Howard et al., MobileNetV3, 2019).
 * @param x float32, any shape.
 */
export function hardSwish<T extends tf.Tensor>(x: T): T {
  return hardSwishWithGradient(x) as T;
}

/** The slope is 0 up to -3, 1 from 3 on and `(2x + 3) / 6` between them, taking the inner value at neither edge. */
const hardSwishWithGradient = tf.customGrad((x, save) => {
  const input = x as tf.Tensor;
  (save as tf.GradSaveFunc)([input]);
  return {
    value: tf.mul(input, tf.mul(tf.relu6(tf.add(input, 3)), 1 / 6)),
    gradFunc: (dy: tf.Tensor, saved: tf.Tensor[]) => {
      const z = saved[0] as tf.Tensor;
      const inner = tf.add(tf.mul(z, 1 / 3), 0.5);
      const slope = tf.where(tf.less(tf.abs(z), 3), inner, tf.cast(tf.greaterEqual(z, 3), 'float32'));
      return tf.mul(dy, slope);
    },
  };
});
