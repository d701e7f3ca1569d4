/** The classification loss. */
import * as tf from '@tensorflow/tfjs-core';
import { overWorkers, softmaxCrossEntropy } from '@pyramidal/kernels';

/** The settings of the cross entropy. */
interface CrossEntropyOptions {
  /** Share of the target spread evenly over all classes (Szegedy et al. 2016): (1 - s) * nll + s * mean. */
  readonly labelSmoothing?: number;
  /** A factor for each of the K classes. */
  readonly classWeights?: readonly number[] | undefined;
}

/**
 * Mean cross entropy of class logits, as PyTorch's `cross_entropy`: of class indices with class weights, the mean is weighted by
 * those of the labels; of soft targets it is over the rows.
 * @param logits float32 [N, K].
 * @param labels int32 [N], class indices; or float32 [N, K], soft targets whose rows sum to 1.
 * @returns float32 scalar.
 * @throws Error if the row counts differ, or if there are not K class weights.
 */
export function crossEntropy(
  logits: tf.Tensor2D,
  labels: tf.Tensor1D | tf.Tensor2D,
  { labelSmoothing = 0, classWeights }: CrossEntropyOptions = {},
): tf.Scalar {
  const [rows, classes] = logits.shape;
  if (labels.shape[0] !== rows) {
    throw new Error(`crossEntropy: expected ${rows} labels for logits [${logits.shape}], received [${labels.shape}]`);
  }
  if (classWeights !== undefined && classWeights.length !== classes) {
    throw new Error(`crossEntropy: expected ${classes} class weights, received ${classWeights.length}`);
  }
  return tf.tidy(() => {
    const targets = labels.rank === 1 ? tf.cast(tf.oneHot(labels as tf.Tensor1D, classes), 'float32') : labels;
    const smooth =
      labelSmoothing === 0 ? targets : tf.add(tf.mul(targets, 1 - labelSmoothing), labelSmoothing / classes);
    if (classWeights === undefined) return tf.mean(softmaxCrossEntropy(logits, smooth as tf.Tensor2D));
    const weights = tf.tensor1d([...classWeights]);
    const losses = softmaxCrossEntropy(logits, tf.mul<tf.Tensor2D>(smooth, weights));
    if (labels.rank === 2) return tf.mean(losses);
    return tf.div(tf.sum(losses), overWorkers.count(tf.sum(tf.mul(targets, weights))));
  });
}
