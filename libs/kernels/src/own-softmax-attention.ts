/** Scaled dot-product attention as one operation of this project's addon, which keeps no similarities of all tokens with all others. */
import type * as tf from '@tensorflow/tfjs-core';
import { processorOps } from '#native-ops';
import { isTakingGradient } from './slope';

/** What attends to what, of one number of channels, in which heads lie side by side. */
export interface AttendingTokens {
  /** float32 [N, T, C]. */
  readonly queries: tf.Tensor3D;
  /** float32 [N, S, C]. */
  readonly keys: tf.Tensor3D;
  /** float32 [N, S, C]. */
  readonly values: tf.Tensor3D;
}

/** softmax(q k^T / sqrt(width of a head)) v per head. @returns float32 [N, T, C]; null where there is no such operation. */
export function ownSoftmaxAttention({ queries, keys, values }: AttendingTokens, heads: number): tf.Tensor3D | null {
  const own = isTakingGradient() ? null : processorOps({ isFloat32: true });
  if (own === null) return null;
  return own.run<tf.Tensor3D>('PyramidalSoftmaxAttention', [queries, keys, values], [own.int('heads', heads)]);
}
