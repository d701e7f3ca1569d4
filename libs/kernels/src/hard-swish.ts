/** The hard swish activation of MobileNetV3. */
import * as tf from '@tensorflow/tfjs-core';
import { ownActivation, ownValueAndSlope } from '#own-operations';
import { nativeOps } from '#native-ops';
import { applyWithSlope, type ValueAndSlope } from './slope';

/**
 * Hard swish, `x * relu6(x + 3) / 6` (Howard et al., MobileNetV3, 2019).
 * @param x float32, any shape.
 * @returns the same shape.
 */
export function hardSwish<T extends tf.Tensor>(x: T): T {
  return ownActivation(x, 'hard_swish') ?? applyWithSlope(x, (input) => parts(input).value, valueAndSlope);
}

function parts(x: tf.Tensor): { ramp: tf.Tensor; sixth: tf.Tensor; value: tf.Tensor } {
  const ramp = tf.relu6(tf.add(x, 3));
  const sixth = tf.mul(x, 1 / 6);
  return { ramp, sixth, value: tf.mul(sixth, ramp) };
}

const valueAndSlope = (x: tf.Tensor): ValueAndSlope => ownValueAndSlope(x, 'hard_swish') ?? composed(x);

function composed(x: tf.Tensor): ValueAndSlope {
  const { ramp, sixth, value } = parts(x);
  return { value, slope: tf.add(tf.mul(ramp, 1 / 6), whereRising(sixth, ramp)) };
}

/** `x` where the ramp rises, 0 elsewhere and at both its ends. */
function whereRising(x: tf.Tensor, ramp: tf.Tensor): tf.Tensor {
  const native = nativeOps();
  if (native !== null) return native.run('Relu6Grad', [x, ramp], [native.type('T', 'float32')]);
  return tf.mul(x, tf.cast(tf.logicalAnd(tf.greater(ramp, 0), tf.less(ramp, 6)), 'float32'));
}
