/** The loss of segmentation logits: MMSegmentation's cross entropy with ignored pixels. */
import * as tf from '@tensorflow/tfjs-core';
import { overWorkers, sparseSoftmaxCrossEntropy } from '@pyramidal/kernels';
import { resizeTo } from './resize-to';

/** Label of pixels that do not count. */
export const IGNORE = 255;

export interface SegmentationLoss {
  /**
   * Cross entropy summed over the labelled pixels, over the number of all pixels: MMSegmentation's mean. With class weights it is
   * PyTorch's: the mean over the labelled pixels, weighted by their classes.
   */
  readonly loss: tf.Scalar;
  /** Pixels that are right over all pixels, in percent. */
  readonly accuracy: tf.Scalar;
}

/**
 * Loss of logits that are brought to the labels' size.
 * @param logits float32 [N, h, w, K].
 * @param labels int32 [N, H, W], classes or `IGNORE`.
 * @param classWeights a factor for each of the K classes.
 * @throws RangeError if the numbers of images differ, or if there are not K class weights.
 */
export function segmentationLoss(
  logits: tf.Tensor4D,
  labels: tf.Tensor3D,
  classWeights?: readonly number[],
): SegmentationLoss {
  const [n, height, width] = labels.shape;
  const classes = logits.shape[3];
  if (logits.shape[0] !== n) {
    throw new RangeError(
      `segmentationLoss: expected ${n} maps for labels [${labels.shape}], received [${logits.shape}]`,
    );
  }
  if (classWeights !== undefined && classWeights.length !== classes) {
    throw new RangeError(`segmentationLoss: expected ${classes} class weights, received ${classWeights.length}`);
  }
  const rows = tf.reshape<tf.Rank.R2>(resizeTo(logits, [n, height, width]), [-1, classes]);
  const flat = tf.reshape<tf.Rank.R1>(labels, [-1]);
  const counts = tf.cast(tf.notEqual(flat, tf.scalar(IGNORE, 'int32')), 'float32');
  const known: tf.Tensor1D = tf.minimum(flat, tf.scalar(classes - 1, 'int32'));
  const losses = sparseSoftmaxCrossEntropy(rows, known);
  const right = tf.cast(tf.equal(tf.argMax(rows, 1), flat), 'float32');
  const accuracy = tf.mul<tf.Scalar>(tf.mean(right), 100);
  if (classWeights === undefined) return { loss: tf.mean(tf.mul(losses, counts)), accuracy };
  // Unlike tf.gather, this reads no indices back, so that it can be compiled.
  const ofPixels = tf.gatherND(tf.tensor1d([...classWeights]), tf.expandDims(known, 1));
  const weights = tf.mul(ofPixels, counts);
  // Nothing labelled is no loss.
  const total = overWorkers.count(tf.sum(weights), 1e-12);
  return { loss: tf.div(tf.sum(tf.mul(losses, weights)), total), accuracy };
}
