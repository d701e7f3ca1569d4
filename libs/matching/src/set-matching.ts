/** Matching of predictions with objects, one to one and at the least cost in all (DETR, Carion et al. 2020, section 3.1). */
import * as tf from '@tensorflow/tfjs-core';
import { generalizedIou, type GiouOptions, oneHot } from '@pyramidal/boxes';
import { linearSumAssignment } from '@pyramidal/kernels';
import type { FocalOptions } from '@pyramidal/losses';

/** How much each part of costs or of losses counts. */
export interface SetWeights {
  readonly class: number;
  /** Of the distances of coordinates. */
  readonly box: number;
  readonly giou: number;
}

/** What a pair of a prediction and an object costs. */
export interface PairCosts {
  readonly weights: SetWeights;
  /** With what is added before logarithms. */
  readonly focal: FocalOptions & { readonly epsilon: number };
  readonly giou?: GiouOptions;
}

/** Boxes of an image in two forms. */
export interface SetBoxes {
  /** float32 [R, 4], in the form and the unit in which coordinates are compared. */
  readonly coordinates: tf.Tensor2D;
  /** float32 [R, 4], xyxy, in any unit. */
  readonly corners: tf.Tensor2D;
}

/**
 * What every pair of an image costs: focal loss, L1 distance and -GIoU by their weights (Deformable DETR; Sparse R-CNN, section 3.4).
 * @param predicted R boxes, their logits float32 [R, classes].
 * @param objects G boxes, their labels int32 [G]; one that is no class costs nothing for its class.
 * @returns float32 [R, G].
 */
export function pairCosts(
  predicted: SetBoxes & { readonly logits: tf.Tensor2D },
  objects: SetBoxes & { readonly labels: tf.Tensor1D },
  { weights, focal, giou }: PairCosts,
): tf.Tensor2D {
  return tf.tidy(() => {
    const parts = [
      tf.mul(focalCosts(predicted.logits, objects.labels, focal), weights.class),
      tf.mul(l1Costs(predicted.coordinates, objects.coordinates), weights.box),
      tf.mul(giouCosts(predicted.corners, objects.corners, giou), weights.giou),
    ];
    return tf.addN(parts) as tf.Tensor2D;
  });
}

/**
 * What each prediction's class costs for each object: the focal loss of the object's class, less that of its absence.
 * @param logits float32 [R, classes]. @param labels int32 [G].
 * @returns float32 [R, G].
 */
export function focalCosts(
  logits: tf.Tensor2D,
  labels: tf.Tensor1D,
  { alpha, gamma, epsilon }: PairCosts['focal'],
): tf.Tensor2D {
  return tf.tidy(() => {
    const is = tf.sigmoid(logits);
    const isNot = tf.sub(1, is);
    const loss = (weight: number, right: tf.Tensor, wrong: tf.Tensor): tf.Tensor =>
      tf.mul(tf.mul(tf.log(tf.add(right, epsilon)), tf.pow(wrong, gamma)), -weight);
    const perClass: tf.Tensor2D = tf.sub(loss(alpha, is, isNot), loss(1 - alpha, isNot, is));
    return tf.matMul(perClass, oneHot(labels, logits.shape[1]), false, true);
  });
}

/** L1 distances of rows. @param a float32 [R, W]. @param b float32 [G, W]. @returns float32 [R, G]. */
export function l1Costs(a: tf.Tensor2D, b: tf.Tensor2D): tf.Tensor2D {
  return tf.tidy(() => tf.sum(tf.abs(tf.sub(tf.expandDims(a, 1), tf.expandDims(b, 0))), 2));
}

/** -GIoU of boxes. @param a float32 [R, 4], xyxy. @param b float32 [G, 4], xyxy. @returns float32 [R, G]. */
export function giouCosts(a: tf.Tensor2D, b: tf.Tensor2D, options?: GiouOptions): tf.Tensor2D {
  return tf.tidy(() => tf.neg(generalizedIou(tf.expandDims(a, 1), tf.expandDims(b, 0), options)) as tf.Tensor2D);
}

/**
 * The objects that predictions answer to: as many pairs as there can be, at the least cost in all.
 * @param costs float32 [N, R, G]. @param valid bool [N, G]: which columns are objects.
 * @returns int32 [N, R], `BACKGROUND`, or k for ground truth k - 1.
 * @throws Error if a cost is NaN.
 */
export function matchSets(costs: tf.Tensor3D, valid: tf.Tensor2D): tf.Tensor2D {
  const [images, rows] = costs.shape;
  return tf.tidy(() => {
    const { columnOfRow } = linearSumAssignment(costs, tf.ones([images, rows], 'bool'), valid);
    return tf.add(columnOfRow, tf.scalar(1, 'int32'));
  });
}
