/** Scaled dot-product attention as one operation of this project's addon, which keeps no similarities of all tokens with all others. */
import type * as tf from '@tensorflow/tfjs-core';
import { processorOps } from '#native-ops';
import { isTakingGradient } from './slope';

/**
 * softmax(q k^T / sqrt(width of a head)) v per head; heads lie side by side in the channels.
 * @param queries float32 [N, T, C].
 * @param keys float32 [N, S, C].
 * @param values float32 [N, S, C].
 * @returns float32 [N, T, C]; null where there is no such operation, or a gradient is taken.
 */
export function ownSoftmaxAttention(
  queries: tf.Tensor3D,
  keys: tf.Tensor3D,
  values: tf.Tensor3D,
  heads: number,
): tf.Tensor3D | null {
  const own = isTakingGradient() ? null : processorOps({ isFloat32: true });
  if (own === null) return null;
  const attrs = [own.int('heads', heads), own.int('keys_at', 0), own.int('values_at', 0)];
  return own.run<tf.Tensor3D>('PyramidalSoftmaxAttention', [queries, keys, values], attrs);
}
