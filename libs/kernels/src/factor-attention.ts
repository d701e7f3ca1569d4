/** Factorised attention with relative positions, of CoaT (Xu et al. 2021), which GroupMixFormer uses too. */
import * as tf from '@tensorflow/tfjs-core';
import { processorOps } from '#native-ops';
import { isTakingGradient } from './slope';

interface FactorAttentionOptions {
  readonly heads: number;
  readonly scale: number;
  /**
   * What the values' neighbours are worth to each token, float32 [N, T, A]: of the A channels of x, float32 [N, T, I], from
   * `first` on.
   */
  readonly positions: (x: tf.Tensor3D, first: number) => tf.Tensor3D;
}

/**
 * Factorised attention (Xu et al. 2021, CoaT, eqs. 5 and 6): scale * q (softmax(k)^T v) + q * positions per head, the softmax
 * over the tokens. With the native engine's own operations on a processor it is one where no gradient is taken.
 * @param qkv float32 [N, T, 3 A]: queries, keys and values side by side; heads lie side by side in A.
 * @returns float32 [N, T, A].
 */
export function factorAttention(qkv: tf.Tensor3D, options: FactorAttentionOptions): tf.Tensor3D {
  const { heads, scale, positions } = options;
  return tf.tidy(() => {
    const own = isTakingGradient() ? null : processorOps({ isFloat32: true });
    if (own === null) return composed(qkv, options);
    const inputs = [qkv, positions(qkv, (2 * qkv.shape[2]) / 3)];
    return own.run<tf.Tensor3D>('PyramidalFactorAttention', inputs, [
      own.int('heads', heads),
      own.float('scale', scale),
    ]);
  });
}

/**
 * All heads go through one product whose blocks between different heads are masked out: at these widths that costs
 * less than bringing the heads to an axis of their own and back.
 */
function composed(qkv: tf.Tensor3D, { heads, scale, positions }: FactorAttentionOptions): tf.Tensor3D {
  const [queries, keys, values] = tf.split(qkv, 3, 2) as [tf.Tensor3D, tf.Tensor3D, tf.Tensor3D];
  const [, , channels] = keys.shape;
  const weights = shiftedExp(keys);
  const totals = tf.sum(weights, 1, true);
  // Normalising the small product instead of the keys saves a pass over all tokens.
  const context = tf.div(tf.matMul(weights, values, true, false), tf.transpose(totals, [0, 2, 1]));
  const attended: tf.Tensor3D = tf.matMul(queries, tf.mul(context, headMask(channels, heads, scale)));
  return tf.add(attended, tf.mul(queries, positions(values, 0)));
}

/** exp(x - max over tokens): the shift cancels in the softmax, so no gradient flows through it. */
const shiftedExp = tf.customGrad<tf.Tensor3D>((x, save) => {
  const keys = x as tf.Tensor3D;
  const value = tf.exp(tf.sub<tf.Tensor3D>(keys, tf.max(keys, 1, true)));
  (save as tf.GradSaveFunc)([value]);
  return { value, gradFunc: (dy: tf.Tensor3D, [saved]: tf.Tensor[]) => tf.mul<tf.Tensor3D>(dy, saved!) };
});

/** float32 [A, A]: `scale` where row and column belong to the same head, 0 elsewhere. */
function headMask(channels: number, heads: number, scale: number): tf.Tensor2D {
  const width = channels / heads;
  const mask = new Float32Array(channels * channels);
  for (let head = 0; head < heads; head++) {
    const [start, end] = [head * width, (head + 1) * width];
    for (let row = start; row < end; row++) mask.fill(scale, row * channels + start, row * channels + end);
  }
  return tf.tensor2d(mask, [channels, channels]);
}
