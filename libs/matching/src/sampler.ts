/** Random choice of boxes to learn from, of a fixed number (MMDetection's RandomSampler). */
import * as tf from '@tensorflow/tfjs-core';
import { takeRows } from '@pyramidal/boxes';
import type { DrawKeys } from '@pyramidal/detector';
import { BACKGROUND, type Matches } from './matcher';

/** How many boxes are chosen. */
export interface SampleOptions {
  /** Boxes per image. */
  readonly count: number;
  /** Largest share of positives; background fills up the rest. */
  readonly positiveShare: number;
}

/** Chosen boxes: positives first, then background, then rows that nothing fills. */
export type Sample = {
  /** int32 [S], rows of the boxes. */
  readonly indices: tf.Tensor1D;
  /** bool [S]. */
  readonly positive: tf.Tensor1D;
  /** bool [S]: whether the row holds a box at all. */
  readonly valid: tf.Tensor1D;
  /** Positives at most, all in the first rows. */
  readonly maxPositives: number;
};

/** Chooses boxes by their matches, int32 [A]. S is the wanted count, or the number of boxes if that is smaller. */
export function sampleBoxes(
  { assigned }: Pick<Matches, 'assigned'>,
  { count, positiveShare }: SampleOptions,
  drawKeys: DrawKeys,
): Sample {
  return tf.tidy(() => {
    const [boxes] = assigned.shape;
    const size = Math.min(count, boxes);
    const maxPositives = Math.min(Math.floor(count * positiveShare), boxes);
    const keys = drawKeys(boxes);
    const positives = choose(tf.greater(assigned, BACKGROUND), keys, maxPositives);
    const negatives = choose(tf.equal(assigned, BACKGROUND), keys, size);
    const whole = (value: number): tf.Scalar => tf.scalar(value, 'int32');
    const taken: tf.Scalar = tf.minimum(positives.available, whole(maxPositives));
    const rows = tf.range(0, size, 1, 'int32');
    const positive = tf.less(rows, taken);
    const nextNegative: tf.Tensor1D = tf.maximum(tf.sub(rows, taken), whole(0));
    const indices = tf.where(
      positive,
      takeRows(positives.order, tf.minimum<tf.Tensor1D>(rows, whole(Math.max(maxPositives - 1, 0)))),
      takeRows(negatives.order, nextNegative),
    );
    const valid = tf.less(rows, tf.add(taken, negatives.available));
    return { indices, positive, valid, maxPositives: Math.min(maxPositives, size) } as Sample;
  });
}

/** The boxes of a kind with the highest keys first, and how many of the kind there are. */
function choose(kind: tf.Tensor1D, keys: tf.Tensor1D, count: number): { order: tf.Tensor1D; available: tf.Tensor } {
  const ranked: tf.Tensor1D = tf.where(kind, keys, tf.fill(keys.shape, -1));
  const order: tf.Tensor1D = tf.topk(ranked, Math.max(count, 1)).indices;
  return { order, available: tf.sum(tf.cast(kind, 'int32')) };
}
