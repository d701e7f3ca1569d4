/** Tensors seen as rows of their last axis. */
import * as tf from '@tensorflow/tfjs-core';
import { nativeOps } from '#native-ops';

/**
 * Sums over all axes but the last.
 * @param x float32 [..., C].
 * @returns float32 [C].
 */
export function sumRows(x: tf.Tensor): tf.Tensor1D {
  const native = nativeOps();
  const rows = tf.reshape<tf.Rank.R2>(x, [-1, lastAxis(x)]);
  if (native === null) return tf.sum(rows, 0);
  return native.run<tf.Tensor1D>(
    'BiasAddGrad',
    [rows],
    [native.type('T', 'float32'), native.string('data_format', 'NHWC')],
  );
}

/** The size of the last axis. @throws RangeError for a scalar. */
export function lastAxis(x: tf.Tensor): number {
  const size = x.shape.at(-1);
  if (size === undefined) throw new RangeError('expected a tensor with at least one axis, received a scalar');
  return size;
}
