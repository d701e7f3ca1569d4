/** The losses of a predicted set (DETR, section 3.1, with the focal loss of Deformable DETR), layer by layer. */
import * as tf from '@tensorflow/tfjs-core';
import { oneHot, toCorners } from '@pyramidal/boxes';
import { focalLoss, giouLoss } from '@pyramidal/losses';
import type { SetWeights } from '@pyramidal/matching';
import { hungarianMatch, type MatchCosts, type SetPrediction } from './hungarian-matcher';
import { countObjects, type SetTruth, targetsOf } from './set-truth';

export interface SetCriterionOptions extends Omit<MatchCosts, 'weights'> {
  readonly costs: SetWeights;
  readonly losses: SetWeights;
}

/** The weighted parts of the loss of a set. */
export type SetLosses = Readonly<Record<'class' | 'box' | 'giou', tf.Scalar>>;

/** Stands for the boxes of background, of which no loss comes. */
const ANY_BOX = [0.5, 0.5, 1, 1];

/** The losses of a prediction, each object with the query that suits it best. */
export function matchedLosses(prediction: SetPrediction, truth: SetTruth, options: SetCriterionOptions): SetLosses {
  const assigned = hungarianMatch(prediction, truth, { ...options, weights: options.costs });
  return setLosses(prediction, targetsOf(truth, assigned), countObjects(truth), options);
}

/**
 * Focal loss over all queries, L1 and 1 - GIoU over those with an object.
 * @param targets what each query is to predict, [N, Q].
 * @param count what the sums are divided by.
 * @param counted bool [N, Q]: queries that take part; all by default.
 */
export function setLosses(
  { logits, boxes }: SetPrediction,
  targets: SetTruth,
  count: tf.Scalar,
  { losses, focal, giou }: Pick<SetCriterionOptions, 'losses' | 'focal' | 'giou'>,
  counted?: tf.Tensor2D,
): SetLosses {
  const classes = logits.shape[2];
  const labels = tf.reshape<tf.Rank.R1>(targets.labels, [-1]);
  const perClass = focalLoss(tf.reshape<tf.Rank.R2>(logits, [-1, classes]), oneHot(labels, classes), focal);
  const perQuery = tf.sum(perClass, 1);
  const taking = counted === undefined ? perQuery : tf.mul(perQuery, tf.cast(tf.reshape(counted, [-1]), 'float32'));
  const isObject = tf.expandDims(tf.greaterEqual(labels, 0), 1);
  const taken = tf.cast(isObject, 'float32');
  // Whatever background predicts, it must not send numbers that are none.
  const ofObjects = (x: tf.Tensor3D): tf.Tensor2D => {
    const rows = tf.reshape<tf.Rank.R2>(x, [-1, 4]);
    return tf.where(tf.broadcastTo(isObject, rows.shape), rows, tf.tile(tf.tensor2d([ANY_BOX]), [rows.shape[0], 1]));
  };
  const [predicted, wanted] = [ofObjects(boxes), ofObjects(targets.boxes)];
  const distance = tf.mul(tf.abs(tf.sub(predicted, wanted)), taken);
  const overlap = tf.mul(giouLoss(toCorners(predicted), toCorners(wanted), giou), tf.squeeze(taken, [1]));
  const share = (sum: tf.Tensor, weight: number): tf.Scalar => tf.mul(tf.div(tf.sum(sum), count), weight);
  return {
    class: share(taking, losses.class),
    box: share(distance, losses.box),
    giou: share(overlap, losses.giou),
  };
}

/**
 * All losses under their names, and their sum.
 * @param sets the losses of each set, by what is added to the names: '' for the last layer, '0' for the first, ...
 */
export function joinLosses(sets: Readonly<Record<string, SetLosses>>): { loss: tf.Scalar } & Record<string, tf.Scalar> {
  const named = Object.entries(sets).flatMap(([suffix, losses]) =>
    Object.entries(losses).map(([name, loss]) => [name + suffix, loss] as const),
  );
  return { loss: tf.addN(named.map(([, loss]) => loss)), ...Object.fromEntries(named) };
}

/** '' for the last of so many layers, otherwise its number. */
export const layerSuffix = (layer: number, layers: number): string => (layer === layers - 1 ? '' : `${layer}`);
