/** Which ground truth a box answers to, by overlap (MMDetection's MaxIoUAssigner). */
import * as tf from '@tensorflow/tfjs-core';
import { iouOf, sharesWithin } from '@pyramidal/boxes';
import type { Truth } from '@pyramidal/detector';

/** Which overlaps make a box positive, background or neither. */
export interface MatchOptions {
  /** A box with at least this IoU is positive. */
  readonly positiveIou: number;
  /** A box whose best IoU is below this is background. */
  readonly negativeIou: number;
  /** A ground truth also takes the boxes that overlap it best, if by at least this much. */
  readonly lowQuality?: {
    readonly minIou: number;
    /** All boxes of that overlap (default 'all'), or the first of them. */
    readonly take?: 'all' | 'first';
  };
  /** Boxes of which a larger share lies in one ignored region stay unmatched; by default none do. */
  readonly ignoreShare?: number | undefined;
}

/** Boxes that stay out of training: neither background nor an object. */
export const UNMATCHED = -1;
export const BACKGROUND = 0;

/** What boxes are matched with. */
export type Matches = {
  /** int32 [A]: `UNMATCHED`, `BACKGROUND`, or k for ground truth k - 1. */
  readonly assigned: tf.Tensor1D;
  /** float32 [A], the best IoU of each box; -1 where it takes no part. */
  readonly overlaps: tf.Tensor1D;
};

/**
 * Matches boxes with ground truth. Of equal overlaps the first ground truth wins; among low-quality matches the last.
 * @param boxes float32 [A, 4], xyxy.
 * @param included bool [A]: boxes that take part; the others stay unmatched.
 * @returns `assigned` int32 [A], `overlaps` float32 [A].
 */
export function matchBoxes(
  boxes: tf.Tensor2D,
  truth: Truth,
  { positiveIou, negativeIou, lowQuality, ignoreShare }: MatchOptions,
  included?: tf.Tensor1D,
): Matches {
  return tf.tidy(() => {
    const isOutside = outsideCrowds(boxes, truth, ignoreShare);
    const takesPart = isOutside && included ? tf.logicalAnd(isOutside, included) : (isOutside ?? included);
    const isObject = tf.expandDims(truth.valid, 1);
    const iou = tf.mul(overlapsOf(truth.boxes, boxes), tf.cast(isObject, 'float32'));
    const scores =
      takesPart === undefined ? iou : tf.where(tf.expandDims(takesPart, 0), iou, tf.fill(iou.shape, UNMATCHED));
    const overlaps = tf.max(scores, 0) as tf.Tensor1D;
    const best: tf.Tensor1D = tf.add(tf.argMax(scores, 0), tf.scalar(1, 'int32'));
    const fill = (value: number): tf.Tensor1D => tf.fill(best.shape, value, 'int32');
    const isBackground = tf.logicalAnd(tf.greaterEqual(overlaps, 0), tf.less(overlaps, negativeIou));
    const byThreshold = tf.where(
      tf.greaterEqual(overlaps, positiveIou),
      best,
      tf.where(isBackground, fill(BACKGROUND), fill(UNMATCHED)),
    );
    if (lowQuality === undefined) return { assigned: byThreshold, overlaps };
    const taken = lowQualityMatches(scores, isObject, lowQuality);
    return { assigned: tf.where(tf.greater(taken, 0), taken, byThreshold), overlaps };
  });
}

/** Intersection over union of each object with each box. @returns float32 [G, A]. */
function overlapsOf(objects: tf.Tensor2D, boxes: tf.Tensor2D): tf.Tensor2D {
  return iouOf(tf.expandDims(objects, 1), tf.expandDims(boxes, 0)) as tf.Tensor2D;
}

/**
 * The row of the ground truth that each box is assigned to; 0 where there is none.
 * @param assigned int32 [A]. @returns int32 [A].
 */
export function truthRowsOf(assigned: tf.Tensor1D): tf.Tensor1D {
  return tf.tidy(() => tf.relu(tf.sub<tf.Tensor1D>(assigned, tf.scalar(1, 'int32'))));
}

/** int32 [A], k where ground truth k - 1 takes the box as one of its best, 0 where none does. */
function lowQualityMatches(
  scores: tf.Tensor,
  isObject: tf.Tensor,
  { minIou, take = 'all' }: NonNullable<MatchOptions['lowQuality']>,
): tf.Tensor1D {
  const [objects, count] = scores.shape as [number, number];
  const highest = tf.max(scores, 1, true);
  const isBest =
    take === 'all'
      ? tf.equal(scores, highest)
      : tf.cast(tf.oneHot(tf.cast(tf.argMax(scores, 1), 'int32'), count), 'bool');
  const takes = tf.logicalAnd(isObject, tf.greaterEqual(highest, Math.max(minIou, 0)));
  const numbers = tf.reshape(tf.range(1, objects + 1, 1, 'int32'), [objects, 1]);
  return tf.max(tf.mul(tf.cast(tf.logicalAnd(isBest, takes), 'int32'), numbers), 0);
}

/**
 * The boxes of which no region of crowds holds more than a share of their own area, bool [A]; undefined where nothing
 * is ignored.
 * @param boxes float32 [A, 4], xyxy.
 */
export function outsideCrowds(
  boxes: tf.Tensor2D,
  { ignored }: Pick<Truth, 'ignored'>,
  ignoreShare: number | undefined,
): tf.Tensor1D | undefined {
  if (ignored === undefined || ignoreShare === undefined) return undefined;
  return tf.tidy(() => tf.lessEqual<tf.Tensor1D>(tf.max(sharesWithin(boxes, ignored), 0), ignoreShare));
}
