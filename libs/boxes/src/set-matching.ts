/** Matching of predictions with objects, one to one and at the least cost in all (DETR, Carion et al. 2020, section 3.1). */
import * as tf from '@tensorflow/tfjs-core';
import { linearSumAssignment } from '@pyramidal/kernels';
import { type FocalOptions, generalizedIou, type GiouOptions } from './losses';
import { oneHot } from './one-hot';

/**
 * What each prediction's class costs for each object: the focal loss of the object's class, less that of its absence.
 * @param logits float32 [R, classes]. @param labels int32 [G]; one that is no class costs nothing.
 * @param epsilon added before logarithms.
 * @returns float32 [R, G].
 */
export function focalCosts(
  logits: tf.Tensor2D,
  labels: tf.Tensor1D,
  { alpha, gamma, epsilon }: FocalOptions & { readonly epsilon: number },
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
