/** Factorised attention of CoaT (Xu et al. 2021), which GroupMixFormer uses too. */
import * as tf from '@tensorflow/tfjs-core';

interface FactorAttentionOptions {
  readonly heads: number;
  readonly scale: number;
}

/**
 * Factorised attention (Xu et al. 2021, CoaT, eq. 5): scale * q (softmax(k)^T v) per head, the softmax over the tokens.
 * All heads go through one product whose blocks between different heads are masked out: at these widths that costs
 * less than bringing the heads to an axis of their own and back.
 * @param queries float32 [N, T, A]; heads lie side by side in A.
 * @param keys float32 [N, T, A].
 * @param values float32 [N, T, A].
 * @returns float32 [N, T, A].
 */
export function factorAttention(
  queries: tf.Tensor3D,
  keys: tf.Tensor3D,
  values: tf.Tensor3D,
  { heads, scale }: FactorAttentionOptions,
): tf.Tensor3D {
  const [, , channels] = keys.shape;
  const weights = shiftedExp(keys);
  const totals = tf.sum(weights, 1, true);
  // Normalising the small product instead of the keys saves a pass over all tokens.
  const context = tf.div(tf.matMul(weights, values, true, false), tf.transpose(totals, [0, 2, 1]));
  return tf.matMul(queries, tf.mul(context, headMask(channels, heads, scale)));
}

/** The weights that factorised attention gives the tokens: softmax over them. @returns float32 [N, T, A]. */
export function tokenWeights(keys: tf.Tensor3D): tf.Tensor3D {
  return tf.transpose(tf.softmax(tf.transpose(keys, [0, 2, 1])), [0, 2, 1]);
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
