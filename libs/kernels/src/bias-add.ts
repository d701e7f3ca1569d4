/** Addition of a bias to the last axis, with a gradient in one operation. */
import * as tf from '@tensorflow/tfjs-core';
import { nativeOps } from '#native-ops';
import { sumRows } from './rows';

/**
 * Adds a bias over the last axis.
 * @param x float32 [..., C].
 * @param bias float32 [C].
 * @returns the shape of x.
 */
export function biasAdd<T extends tf.Tensor>(x: T, bias: tf.Tensor1D): T {
  return biasAddWithGradient(x, bias) as T;
}

const biasAddWithGradient = tf.customGrad((x, bias) => ({
  value: addVector(x as tf.Tensor, bias as tf.Tensor1D),
  gradFunc: (dy: tf.Tensor) => [dy, sumRows(dy)],
}));

function addVector(x: tf.Tensor, bias: tf.Tensor1D): tf.Tensor {
  const native = nativeOps();
  if (native === null || x.rank < 2) return tf.add(x, bias);
  return native.run('BiasAdd', [x, bias], [native.type('T', 'float32'), native.string('data_format', 'NHWC')]);
}
