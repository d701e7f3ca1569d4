/** The classification loss. */
import * as tf from '@tensorflow/tfjs-core';
import { softmaxCrossEntropy } from '@pyramidal/kernels';

/** The settings of the cross entropy. */
interface CrossEntropyOptions {
  /** Share of the target spread evenly over all classes (Szegedy et al. 2016): (1 - s) * nll + s * mean. */
  readonly labelSmoothing?: number;
}

/**
 * Mean cross entropy of class logits.
 * @param logits float32 [N, K].
 * @param labels int32 [N], class indices; or float32 [N, K], soft targets whose rows sum to 1.
 * @returns float32 scalar.
 * @throws Error if the row counts differ.
 */
export function crossEntropy(
  logits: tf.Tensor2D,
  labels: tf.Tensor1D | tf.Tensor2D,
  { labelSmoothing = 0 }: CrossEntropyOptions = {},
): tf.Scalar {
  const [rows, classes] = logits.shape;
  if (labels.shape[0] !== rows) {
    throw new Error(`crossEntropy: expected ${rows} labels for logits [${logits.shape}], received [${labels.shape}]`);
  }
  return tf.tidy(() => {
    const targets = labels.rank === 1 ? tf.cast(tf.oneHot(labels as tf.Tensor1D, classes), 'float32') : labels;
    const smooth =
      labelSmoothing === 0 ? targets : tf.add(tf.mul(targets, 1 - labelSmoothing), labelSmoothing / classes);
    return tf.mean(softmaxCrossEntropy(logits, smooth as tf.Tensor2D));
  });
}
