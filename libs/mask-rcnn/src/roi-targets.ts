/** RoIs to learn from and what each should be predicted as (Fast R-CNN, section 2.3). */
import * as tf from '@tensorflow/tfjs-core';
import { takeRows } from '@pyramidal/boxes';
import type { DrawKeys, ImageTruth } from '@pyramidal/detector';
import {
  matchBoxes,
  type MatchOptions,
  sampleBoxes,
  type SampleOptions,
  truthRowsOf,
  UNMATCHED,
} from '@pyramidal/matching';

export interface RoiSampling {
  readonly match: MatchOptions;
  readonly sample: SampleOptions;
}

/** Boxes of one image to choose RoIs from. */
export interface RoiCandidates {
  /** float32 [P, 4], xyxy. */
  readonly boxes: tf.Tensor2D;
  /** bool [P]. */
  readonly valid: tf.Tensor1D;
}

/** S RoIs of one image: positives first, then background, then rows that nothing fills. */
export type RoiTargets = {
  /** float32 [S, 4], xyxy. */
  boxes: tf.Tensor2D;
  /** float32 [S, 4], the ground truth that a positive answers to; other rows repeat the RoI. */
  truthBoxes: tf.Tensor2D;
  /** int32 [S], the row of that ground truth; 0 elsewhere. */
  truthRows: tf.Tensor1D;
  /** int32 [S], the class, or the number of classes for background. */
  labels: tf.Tensor1D;
  /** bool [S]. */
  positive: tf.Tensor1D;
  /** bool [S]: whether the row holds a RoI at all. */
  valid: tf.Tensor1D;
  /** bool [S]: whether the RoI is ground truth itself. */
  isTruth: tf.Tensor1D;
  /** Positives at most, all in the first rows. */
  maxPositives: number;
};

/**
 * Matches candidates with ground truth and samples them; the ground truth itself joins in front of them.
 * @param classes number of object classes.
 */
export function sampleRois(
  candidates: RoiCandidates,
  truth: ImageTruth,
  classes: number,
  { match, sample }: RoiSampling,
  drawKeys: DrawKeys,
): RoiTargets {
  return tf.tidy(() => {
    const matches = matchBoxes(candidates.boxes, truth, match, candidates.valid);
    const objects = truth.boxes.shape[0];
    const own: tf.Tensor1D = tf.range(1, objects + 1, 1, 'int32');
    const ownMatches: tf.Tensor1D = tf.where(truth.valid, own, tf.fill([objects], UNMATCHED, 'int32'));
    const assigned = tf.concat([ownMatches, matches.assigned]);
    const sampled = sampleBoxes({ assigned }, sample, drawKeys);
    const boxes = takeRows(tf.concat([truth.boxes, candidates.boxes]), sampled.indices);
    const { positive, valid, maxPositives } = sampled;
    const truthRows = truthRowsOf(takeRows(assigned, sampled.indices));
    const background: tf.Tensor1D = tf.fill(positive.shape, classes, 'int32');
    return {
      boxes,
      truthBoxes: tf.where(tf.expandDims(positive, 1), takeRows(truth.boxes, truthRows), boxes),
      truthRows,
      labels: tf.where(positive, takeRows(truth.labels, truthRows), background),
      positive,
      valid,
      isTruth: tf.less(sampled.indices, tf.scalar(objects, 'int32')),
      maxPositives,
    };
  });
}

/** The targets of a batch in one list. */
export function joinTargets(targets: readonly RoiTargets[]): RoiTargets {
  const join = <T extends tf.Tensor>(part: (image: RoiTargets) => T): T => tf.concat(targets.map(part));
  return {
    boxes: join(({ boxes }) => boxes),
    truthBoxes: join(({ truthBoxes }) => truthBoxes),
    truthRows: join(({ truthRows }) => truthRows),
    labels: join(({ labels }) => labels),
    positive: join(({ positive }) => positive),
    valid: join(({ valid }) => valid),
    isTruth: join(({ isTruth }) => isTruth),
    maxPositives: targets.reduce((sum, { maxPositives }) => sum + maxPositives, 0),
  };
}
