/** Non-maximum suppression with outputs of fixed size. */
import { nextFloat32 } from '@pyramidal/kernels';
import * as tf from '@tensorflow/tfjs-core';
import { coordinates } from './boxes';

/** What is suppressed, and how many boxes are kept. */
interface NmsOptions {
  /** A box is dropped if it overlaps a better one by more than this. */
  readonly iouThreshold: number;
  /** Only boxes that score higher take part. */
  readonly scoreThreshold: number;
  /** K, the length of the result; the number of boxes if that is smaller. */
  readonly maxOutputs: number;
  /** int32 [A]: boxes of different classes do not suppress each other; by default all are of one. */
  readonly classes?: tf.Tensor1D;
}

/** What is kept, best first. */
export type Kept = {
  /** int32 [K], rows of the boxes; 0 in rows that nothing fills. */
  readonly indices: tf.Tensor1D;
  /** bool [K]. */
  readonly valid: tf.Tensor1D;
};

/**
 * Greedy suppression by falling score; of equal scores the lower index comes first.
 * @param boxes float32 [A, 4], xyxy.
 * @param scores float32 [A].
 * @returns rows of K = `maxOutputs`, shapes as in `Kept`.
 */
export function nms(boxes: tf.Tensor2D, scores: tf.Tensor1D, options: NmsOptions): Kept {
  const { iouThreshold, scoreThreshold, classes } = options;
  const maxOutputs = Math.min(options.maxOutputs, boxes.shape[0]);
  return tf.tidy(() => {
    const { selectedIndices, validOutputs } = tf.image.nonMaxSuppressionPadded(
      classes === undefined ? boxes : separate(boxes, classes),
      scores,
      maxOutputs,
      suppressionThreshold(iouThreshold),
      Math.fround(scoreThreshold),
      true,
    ) as { selectedIndices: tf.Tensor1D; validOutputs: tf.Scalar };
    const valid: tf.Tensor1D = tf.less(tf.range(0, maxOutputs, 1, 'int32'), validOutputs);
    return { indices: selectedIndices, valid };
  });
}

/** Moves the boxes of each class to a place of their own, so that different classes never meet. */
function separate(boxes: tf.Tensor2D, classes: tf.Tensor1D): tf.Tensor2D {
  const [x1, y1, x2, y2] = coordinates(boxes);
  const low = tf.minimum(tf.min(x1), tf.min(y1));
  const extent = tf.add(tf.sub(tf.maximum(tf.max(x2), tf.max(y2)), low), 1);
  return tf.add(boxes, tf.expandDims(tf.mul(tf.cast(classes, 'float32'), extent), 1));
}

/** TensorFlow drops at IoU > threshold, TensorFlow.js's own kernels at >=: they get the next higher float32. */
function suppressionThreshold(threshold: number): number {
  return tf.getBackend() === 'tensorflow' ? threshold : nextFloat32(threshold);
}
