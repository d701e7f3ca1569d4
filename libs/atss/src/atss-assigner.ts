/**
 * Adaptive training sample selection (Zhang et al. 2020, algorithm 1): which anchors learn which object.
 * G objects, A anchors, K candidates of an object.
 */
import * as tf from '@tensorflow/tfjs-core';
import { coordinates, iouOf, takeRows } from '@pyramidal/boxes';
import type { ImageAnchors } from '@pyramidal/dense';
import type { Truth } from '@pyramidal/detector';
import { BACKGROUND, outsideCrowds, UNMATCHED } from '@pyramidal/matching';
import { sidesFromCentres } from './sides';

export interface AtssOptions {
  /** Candidates of an object on each level: the anchors whose centres lie nearest to its own. */
  readonly candidates: number;
  /** Anchors of which a larger share lies in one region of a crowd stay unmatched; by default none do. */
  readonly ignoreShare?: number | undefined;
}

/** Anchors whose centres lie this far within an object, in pixels, can be positive. */
const MIN_MARGIN = 0.01;

/**
 * An anchor learns an object if it is one of the object's candidates, its centre lies within the object, and it overlaps
 * the object by at least the mean plus the standard deviation of the candidates' overlaps. Of several objects it learns
 * the one that it overlaps most, of equal overlaps the first.
 * @returns `assigned` int32 [A]: `UNMATCHED`, `BACKGROUND`, or k for ground truth k - 1; `overlaps` float32 [A], the IoU
 * of positive anchors with their objects, 0 elsewhere.
 */
export function assignAdaptively(
  { anchors, counts, included }: ImageAnchors,
  truth: Truth,
  { candidates, ignoreShare }: AtssOptions,
): { readonly assigned: tf.Tensor1D; readonly overlaps: tf.Tensor1D } {
  return tf.tidy(() => {
    const isOutside = outsideCrowds(anchors, truth, ignoreShare);
    const takesPart = isOutside === undefined ? included : tf.logicalAnd<tf.Tensor1D>(included, isOutside);
    const { rows, valid } = nearestAnchors(anchors, counts, takesPart, truth.boxes, candidates);
    const boxes = tf.expandDims(truth.boxes, 1);
    const near = tf.reshape(takeRows(anchors, tf.reshape(rows, [-1])), [...rows.shape, 4]);
    const overlaps: tf.Tensor2D = iouOf(near, boxes) as tf.Tensor2D;
    const isPositive = [
      tf.greaterEqual(overlaps, adaptiveThresholds(overlaps, valid)),
      tf.greater(margins(near, boxes), MIN_MARGIN),
      tf.expandDims(truth.valid, 1),
    ].reduce((all, one) => tf.logicalAnd(all, one), valid);
    const taken = spread(tf.where(isPositive, overlaps, tf.zerosLike(overlaps)), rows, anchors.shape[0]);
    const best = tf.max(taken, 0) as tf.Tensor1D;
    const object: tf.Tensor1D = tf.add(tf.cast(tf.argMax(taken, 0), 'int32'), tf.scalar(1, 'int32'));
    const fill = (value: number): tf.Tensor1D => tf.fill(object.shape, value, 'int32');
    const unassigned = tf.where(takesPart, fill(BACKGROUND), fill(UNMATCHED));
    return { assigned: tf.where(tf.greater(best, 0), object, unassigned), overlaps: best };
  });
}

/**
 * The anchors of each level whose centres are nearest to each object's, of equal distances those that come first.
 * @param boxes float32 [G, 4].
 * @returns `rows` int32 [G, K]; `valid` bool [G, K], false where a level has too few anchors that take part.
 */
function nearestAnchors(
  anchors: tf.Tensor2D,
  counts: readonly number[],
  takesPart: tf.Tensor1D,
  boxes: tf.Tensor2D,
  candidates: number,
): { rows: tf.Tensor2D; valid: tf.Tensor2D } {
  const distances = tf.where(
    tf.expandDims(takesPart, 0),
    centreDistances(boxes, anchors),
    tf.fill([boxes.shape[0], anchors.shape[0]], Infinity),
  );
  let first = 0;
  const nearest = tf.split<tf.Tensor2D>(distances, [...counts], 1).map((own) => {
    const { values, indices } = tf.topk(tf.neg(own), Math.min(candidates, own.shape[1]));
    const rows = tf.add(indices, tf.scalar(first, 'int32'));
    first += own.shape[1];
    return { values, rows };
  });
  const values = tf.concat(nearest.map((level) => level.values as tf.Tensor2D), 1); // prettier-ignore
  const rows = tf.concat(nearest.map((level) => level.rows as tf.Tensor2D), 1); // prettier-ignore
  return { rows, valid: tf.greater(values, -Infinity) };
}

/** float32 [G, A]. */
function centreDistances(boxes: tf.Tensor2D, anchors: tf.Tensor2D): tf.Tensor2D {
  const centres = (all: tf.Tensor): [tf.Tensor, tf.Tensor] => {
    const [x1, y1, x2, y2] = coordinates(all);
    return [tf.div(tf.add(x1, x2), 2), tf.div(tf.add(y1, y2), 2)];
  };
  const [boxX, boxY] = centres(tf.expandDims(boxes, 1));
  const [x, y] = centres(tf.expandDims(anchors, 0));
  return tf.sqrt(tf.add<tf.Tensor2D>(tf.square(tf.sub(x, boxX)), tf.square(tf.sub(y, boxY))));
}

/**
 * Mean plus unbiased standard deviation of the overlaps of each object's candidates; NaN for fewer than two.
 * @param overlaps float32 [G, K]. @param valid bool [G, K]. @returns float32 [G, 1].
 */
function adaptiveThresholds(overlaps: tf.Tensor2D, valid: tf.Tensor2D): tf.Tensor2D {
  const counts = tf.cast(valid, 'float32');
  const count = tf.sum<tf.Tensor2D>(counts, 1, true);
  const mean = tf.div<tf.Tensor2D>(tf.sum(tf.mul(overlaps, counts), 1, true), count);
  const squares = tf.sum(tf.mul(tf.square(tf.sub(overlaps, mean)), counts), 1, true);
  return tf.add(mean, tf.sqrt(tf.div(squares, tf.sub(count, 1))));
}

/** How far the centres of anchors lie within boxes, negative outside. @returns float32 [G, K]. */
function margins(anchors: tf.Tensor, boxes: tf.Tensor): tf.Tensor {
  const sides = sidesFromCentres(anchors, boxes);
  return sides.reduce((least, side) => tf.minimum(least, side));
}

/** Values of candidates at their anchors' places, 0 elsewhere. @param values float32 [G, K]. @returns float32 [G, A]. */
function spread(values: tf.Tensor2D, rows: tf.Tensor2D, anchors: number): tf.Tensor2D {
  const [objects] = rows.shape;
  const firsts = tf.mul(tf.reshape(tf.range(0, objects, 1, 'int32'), [objects, 1]), tf.scalar(anchors, 'int32'));
  const places = tf.reshape<tf.Rank.R1>(tf.add(rows, firsts), [-1]);
  return tf.reshape(tf.unsortedSegmentSum(tf.reshape(values, [-1]), places, objects * anchors), [objects, anchors]);
}
