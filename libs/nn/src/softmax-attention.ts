/** Multi-head attention (Vaswani et al. 2017, section 3.2.2). */
import * as tf from '@tensorflow/tfjs-core';
import { ownSoftmaxAttention } from '@pyramidal/kernels';

interface SoftmaxAttentionOptions {
  readonly heads: number;
  /** Added to the similarities, float32, broadcast to [N, heads, T, S]. */
  readonly mask?: tf.Tensor4D | undefined;
  /** Is shown the weights, float32 [N, heads, T, S]. */
  readonly onWeights?: ((weights: tf.Tensor4D) => void) | undefined;
  /** Changes the weights, as dropout does. */
  readonly dropWeights?: ((weights: tf.Tensor4D) => tf.Tensor4D) | undefined;
}

/**
 * Scaled dot-product attention (Vaswani et al. 2017): softmax(q k^T / sqrt(width of a head)) v per head. With the native engine's own
 * operations on a processor it is one where no gradient is taken and nobody asks for the weights.
 * @param queries float32 [N, T, C]; heads lie side by side in C.
 * @param keys float32 [N, S, C].
 * @param values float32 [N, S, C].
 * @returns float32 [N, T, C].
 */
export function softmaxAttention(
  queries: tf.Tensor3D,
  keys: tf.Tensor3D,
  values: tf.Tensor3D,
  options: SoftmaxAttentionOptions,
): tf.Tensor3D {
  const { heads, mask, onWeights, dropWeights } = options;
  const isPlain = mask === undefined && onWeights === undefined && dropWeights === undefined;
  const own = isPlain ? ownSoftmaxAttention(queries, keys, values, heads) : null;
  return own ?? composed(queries, keys, values, options);
}

function composed(
  queries: tf.Tensor3D,
  keys: tf.Tensor3D,
  values: tf.Tensor3D,
  { heads, mask, onWeights, dropWeights = (weights) => weights }: SoftmaxAttentionOptions,
): tf.Tensor3D {
  return tf.tidy(() => {
    const [n, tokens, channels] = queries.shape;
    const scaled = tf.mul<tf.Tensor3D>(queries, (channels / heads) ** -0.5);
    const similarities = tf.matMul<tf.Tensor4D>(byHead(scaled, heads), byHead(keys, heads), false, true);
    const weights = tf.softmax(mask === undefined ? similarities : tf.add<tf.Tensor4D>(similarities, mask));
    onWeights?.(weights);
    const attended = tf.matMul(dropWeights(weights), byHead(values, heads));
    return tf.reshape(tf.transpose(attended, [0, 2, 1, 3]), [n, tokens, channels]);
  });
}

/** [N, T, C] -> [N, heads, T, C / heads] */
function byHead(x: tf.Tensor3D, heads: number): tf.Tensor4D {
  const [n, tokens, channels] = x.shape;
  return tf.transpose(tf.reshape(x, [n, tokens, heads, channels / heads]), [0, 2, 1, 3]);
}
