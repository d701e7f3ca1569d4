/** Losses element by element; what they are divided by is the heads' business. */
import * as tf from '@tensorflow/tfjs-core';
import { areas, coordinates } from './boxes';

/**
 * Binary cross entropy of logits.
 * @param targets 0 or 1 (or between), the shape of the logits.
 */
export function binaryCrossEntropy<T extends tf.Tensor>(logits: T, targets: T): T {
  return tf.tidy(() => tf.sub(tf.softplus(logits), tf.mul(logits, targets)) as T);
}

/** Smooth L1 (Fast R-CNN, eq. 3): quadratic below `beta`; plain L1 with 0. */
export function smoothL1<T extends tf.Tensor>(predicted: T, targets: T, beta: number): T {
  return tf.tidy(() => {
    const distance = tf.abs(tf.sub(predicted, targets));
    if (beta === 0) return distance as T;
    const near = tf.mul(tf.square(distance), 0.5 / beta);
    return tf.where(tf.less(distance, beta), near, tf.sub(distance, 0.5 * beta)) as T;
  });
}

const EPSILON = 1e-6;

/**
 * 1 - GIoU (Rezatofighi et al. 2019).
 * @param predicted, targets float32 [R, 4], xyxy.
 * @returns float32 [R].
 */
export function giouLoss(predicted: tf.Tensor2D, targets: tf.Tensor2D): tf.Tensor1D {
  return tf.tidy(() => {
    const [ax1, ay1, ax2, ay2] = coordinates(predicted);
    const [bx1, by1, bx2, by2] = coordinates(targets);
    const area = (x1: tf.Tensor, y1: tf.Tensor, x2: tf.Tensor, y2: tf.Tensor): tf.Tensor =>
      tf.mul(tf.relu(tf.sub(x2, x1)), tf.relu(tf.sub(y2, y1)));
    const shared = area(tf.maximum(ax1, bx1), tf.maximum(ay1, by1), tf.minimum(ax2, bx2), tf.minimum(ay2, by2));
    const around = area(tf.minimum(ax1, bx1), tf.minimum(ay1, by1), tf.maximum(ax2, bx2), tf.maximum(ay2, by2));
    const union = tf.maximum(tf.sub(tf.add(areas(predicted), areas(targets)), shared), EPSILON);
    const enclosing = tf.maximum(around, EPSILON);
    const giou = tf.sub(tf.div(shared, union), tf.div(tf.sub(enclosing, union), enclosing));
    return tf.sub(1, giou) as tf.Tensor1D;
  });
}
