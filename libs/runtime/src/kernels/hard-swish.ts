import * as tf from '@tensorflow/tfjs-core';
import { nativeOps } from './native-ops';

/**
 * Hard swish, `x * relu6(x + 3) / 6` (Howard et al., MobileNetV3, 2019).
 * @param x float32, any shape.
 */
export function hardSwish<T extends tf.Tensor>(x: T): T {
  return hardSwishWithGradient(x) as T;
}

const hardSwishWithGradient = tf.customGrad((x, save) => {
  const input = x as tf.Tensor;
  const ramp = tf.relu6(tf.add(input, 3));
  (save as tf.GradSaveFunc)([input, ramp]);
  return {
    value: tf.mul(tf.mul(input, 1 / 6), ramp),
    gradFunc: (dy: tf.Tensor, saved: tf.Tensor[]) => {
      const [z, r] = saved as [tf.Tensor, tf.Tensor];
      const sixth = tf.mul(dy, 1 / 6);
      return tf.add(tf.mul(sixth, r), throughRamp(tf.mul(sixth, z), r));
    },
  };
});

/** The gradient where the ramp rises, 0 elsewhere and at both its ends. */
function throughRamp(dy: tf.Tensor, ramp: tf.Tensor): tf.Tensor {
  const native = nativeOps();
  if (native !== null) return native.run('Relu6Grad', [dy, ramp], [native.type('T', 'float32')]);
  return tf.mul(dy, tf.cast(tf.logicalAnd(tf.greater(ramp, 0), tf.less(ramp, 6)), 'float32'));
}
