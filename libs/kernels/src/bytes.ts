/** Bytes on the engine, which come four in a number: a quarter of what as many float32 numbers take on their way. */
import * as tf from '@tensorflow/tfjs-core';
import { nativeOps } from '#native-ops';
import { RuntimeError } from './runtime-error';

/** Whether the engine that is open can take numbers apart into bytes. */
export const takesBytes = (): boolean => nativeOps() !== null;

/**
 * @param words int32 [..., N], each of four bytes, the lowest first.
 * @returns float32 [..., 4 N], whole numbers from 0 to 255.
 * @throws RuntimeError where the engine does not take bytes.
 */
export function floatsOfBytes(words: tf.Tensor): tf.Tensor {
  const native = nativeOps();
  if (native === null) throw new RuntimeError(`bytes: expected a TensorFlow engine, received ${tf.getBackend()}`);
  const [last = 0, ...others] = [...words.shape].reverse();
  return tf.tidy(() => {
    const bytes = native.run('Bitcast', [words], [native.type('T', 'int32'), native.type('type', 'uint8')]);
    const attrs = [native.type('SrcT', 'uint8'), native.type('DstT', 'float32'), native.bool('Truncate', false)];
    return tf.reshape(native.run('Cast', [bytes], attrs), [...others.reverse(), 4 * last]);
  });
}
