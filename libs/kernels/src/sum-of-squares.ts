/** The sum of squares, for gradient norms. */
import * as tf from '@tensorflow/tfjs-core';
import { nativeOps } from '#native-ops';

/**
 * The sum of all squared elements, in one pass; carries no gradient.
 * @param x float32, any shape.
 * @returns float32 scalar.
 */
export function sumOfSquares(x: tf.Tensor): tf.Scalar {
  const native = nativeOps();
  return tf.tidy(() =>
    native === null
      ? tf.sum<tf.Scalar>(tf.square(x))
      : tf.mul<tf.Scalar>(native.run<tf.Scalar>('L2Loss', [x], [native.type('T', 'float32')]), 2),
  );
}
