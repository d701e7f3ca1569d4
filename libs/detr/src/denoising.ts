/**
 * Contrastive denoising (Zhang et al. 2023, DINO, section 3.3; Li et al. 2022, DN-DETR): objects with noise as further
 * queries, which are to find their way back, or to find that they are too far off. Static: the number of slots is fixed,
 * and how many groups of objects fill them is a value.
 */
import * as tf from '@tensorflow/tfjs-core';
import { detached, toCentres, toCorners } from '@pyramidal/boxes';
import type { DrawKeys } from '@pyramidal/detector';
import { inverseSigmoid } from './reference-boxes';
import { type SetTruth, targetsOf } from './set-truth';

export interface DenoisingOptions {
  /** Objects of all groups together, with and without their negatives twice as many slots; more where an image has more. */
  readonly count: number;
  /** Half of it is the share of labels that are replaced. */
  readonly labelNoise: number;
  /** How far edges move, over half of the box's side; negatives move up to twice as far. */
  readonly boxNoise: number;
}

/** Uniform in [0, 1), one for each slot: whether the label is replaced, by which; direction and length of each edge's move. */
export interface DenoisingDraws {
  /** float32 [N, S] */
  readonly replaces: tf.Tensor2D;
  readonly label: tf.Tensor2D;
  /** float32 [N, S, 4] */
  readonly sign: tf.Tensor3D;
  readonly length: tf.Tensor3D;
}

/** S slots before the queries. Slots of an image without their object are background too, as in the reference. */
export interface DenoisingSlots {
  /** int32 [N, S], -1 where a slot holds nothing. */
  readonly labels: tf.Tensor2D;
  /** float32 [N, S, 4], inverse sigmoids of centre and size; 0 where a slot holds nothing. */
  readonly boxes: tf.Tensor3D;
  /** What each slot is to predict, int32 [N, S]: background, or k for the object in row k - 1. */
  readonly assigned: tf.Tensor2D;
  /** Slots that are learned from, bool [N, S]: those that groups fill. */
  readonly counted: tf.Tensor2D;
  /** Number of groups, at least 1. */
  readonly groups: tf.Scalar;
  /** The group of each slot, float32 [S]; `UNFILLED` where there is none. */
  readonly group: tf.Tensor1D;
}

/** Small enough that nothing is left of it in a softmax. */
const HIDDEN = -1e9;
const EPSILON = 1e-3;

const UNFILLED = -2;
const QUERY = -1;

/** Number of slots for images of at most so many objects. */
export const slotCount = ({ count }: DenoisingOptions, objects: number): number => 2 * Math.max(count, objects);

export function drawNoise(images: number, slots: number, drawKeys: DrawKeys): DenoisingDraws {
  const perSlot = (): tf.Tensor2D => tf.reshape(drawKeys(images * slots), [images, slots]);
  const perEdge = (): tf.Tensor3D => tf.reshape(drawKeys(images * slots * 4), [images, slots, 4]);
  return { replaces: perSlot(), label: perSlot(), sign: perEdge(), length: perEdge() };
}

/** @param classes that labels are replaced by. */
export function denoisingSlots(
  truth: SetTruth,
  draws: DenoisingDraws,
  { classes, ...options }: DenoisingOptions & { readonly classes: number },
): DenoisingSlots {
  const [images] = truth.labels.shape;
  const [, slots] = draws.label.shape;
  const { repeat, row, group, isFilled, groups } = arrangeSlots(truth, slots, options.count);
  const isPositive: tf.Tensor1D = tf.equal(repeat, tf.mul(tf.floor(tf.div(repeat, 2)), 2));
  const toAll = (x: tf.Tensor1D): tf.Tensor2D => tf.tile(tf.expandDims<tf.Tensor2D>(x, 0), [images, 1]);
  const number: tf.Tensor2D = toAll(tf.add(tf.cast(row, 'int32'), tf.scalar(1, 'int32')));
  const own = targetsOf(truth, number);
  const counted: tf.Tensor2D = tf.cast(toAll(tf.cast(isFilled, 'int32')), 'bool');
  const isHeld = tf.logicalAnd<tf.Tensor2D>(counted, tf.greaterEqual(own.labels, 0));
  const teaches: tf.Tensor2D = tf.logicalAnd(isHeld, tf.expandDims(isPositive, 0));
  const nothing = tf.fill<tf.Rank.R2>([images, slots], -1, 'int32');
  const boxes = moveEdges(own.boxes, draws, tf.logicalNot(isPositive), options.boxNoise);
  return {
    labels: tf.where(isHeld, replaceLabels(own.labels, draws, classes, options.labelNoise), nothing),
    boxes: tf.where(tf.broadcastTo(tf.expandDims(isHeld, 2), boxes.shape), boxes, tf.zerosLike(boxes)),
    assigned: tf.where(teaches, number, tf.zerosLike(nothing)),
    counted,
    groups,
    group,
  };
}

/**
 * Which object each slot is for. Objects of an image lie side by side, as many as the fullest image has; positives and
 * negatives take turns, and one of each makes a group.
 */
function arrangeSlots({ labels }: SetTruth, slots: number, count: number) {
  const rows = tf.range(1, labels.shape[1] + 1);
  const most = tf.max(tf.mul(tf.cast(tf.greaterEqual(labels, 0), 'float32'), rows));
  const width = tf.maximum(most, 1);
  const groups: tf.Scalar = tf.maximum(tf.floor(tf.div(count, width)), 1);
  const slot = tf.range(0, slots);
  const repeat = tf.floor(tf.div<tf.Tensor1D>(slot, width));
  const isFilled: tf.Tensor1D = tf.less(slot, tf.mul(tf.mul(tf.mul(groups, width), 2), tf.minimum(most, 1)));
  return {
    repeat,
    row: tf.sub<tf.Tensor1D>(slot, tf.mul(repeat, width)),
    group: tf.where(isFilled, tf.floor(tf.div<tf.Tensor1D>(repeat, 2)), tf.fill<tf.Rank.R1>(slot.shape, UNFILLED)),
    isFilled,
    groups,
  };
}

function replaceLabels(labels: tf.Tensor2D, draws: DenoisingDraws, classes: number, noise: number): tf.Tensor2D {
  const other = tf.cast(tf.floor(tf.mul<tf.Tensor2D>(draws.label, classes)), 'int32');
  return tf.where(tf.less<tf.Tensor2D>(draws.replaces, noise / 2), other, labels);
}

/** Moves every edge by a share of half the box's side, negatives by more than the whole, and tells what is in the image. */
function moveEdges(
  boxes: tf.Tensor3D,
  { sign, length }: DenoisingDraws,
  isNegative: tf.Tensor1D,
  noise: number,
): tf.Tensor3D {
  return detached(() => {
    const half = tf.mul(tf.tile(tf.slice(boxes, [0, 0, 2], [-1, -1, 2]), [1, 1, 2]), 0.5);
    const share = tf.add(length, tf.reshape(tf.cast(isNegative, 'float32'), [1, -1, 1]));
    const direction = tf.sub(tf.mul(tf.cast(tf.greaterEqual(sign, 0.5), 'float32'), 2), 1);
    const move = tf.mul(tf.mul(tf.mul(share, direction), half), noise);
    const corners = tf.clipByValue(tf.add<tf.Tensor3D>(toCorners(boxes), move), 0, 1);
    return inverseSigmoid(toCentres(corners), EPSILON);
  });
}

/**
 * Queries see no slot; slots see their own group and the queries; nobody sees a slot that no group fills.
 * @param group float32 [S], as in `DenoisingSlots`. @param queries that stand behind the slots.
 * @returns what is added to similarities, float32 [1, 1, S + Q, S + Q].
 */
export function denoisingMask(group: tf.Tensor1D, queries: number): tf.Tensor4D {
  return tf.tidy(() => {
    const all: tf.Tensor1D = tf.concat([group, tf.fill<tf.Rank.R1>([queries], QUERY)]);
    const [looker, seen] = [tf.expandDims(all, 1), tf.expandDims(all, 0)];
    const isVisible = tf.logicalOr(tf.equal(looker, seen), tf.equal(seen, QUERY));
    const sees = tf.logicalAnd(isVisible, tf.notEqual(seen, UNFILLED));
    const size = all.size;
    const hidden = tf.where(sees, tf.zeros([size, size]), tf.fill([size, size], HIDDEN));
    return tf.reshape(hidden, [1, 1, size, size]);
  });
}
