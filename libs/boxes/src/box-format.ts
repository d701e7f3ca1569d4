/** The two ways to write a box down: by corners, as everywhere here, and by centre and size, as set predictors do. */
import * as tf from '@tensorflow/tfjs-core';

/** @param boxes float32 [..., 4], centre x, centre y, width, height. @returns x1, y1, x2, y2 in the same unit and shape. */
export function toCorners<T extends tf.Tensor>(boxes: T): T {
  return tf.tidy(() => {
    const [centres, sizes] = tf.split(boxes, 2, -1) as [tf.Tensor, tf.Tensor];
    const half = tf.mul(sizes, 0.5);
    return tf.concat([tf.sub(centres, half), tf.add(centres, half)], -1) as T;
  });
}

/** @param boxes float32 [..., 4], xyxy. @returns centre x, centre y, width, height in the same unit and shape. */
export function toCentres<T extends tf.Tensor>(boxes: T): T {
  return tf.tidy(() => {
    const [low, high] = tf.split(boxes, 2, -1) as [tf.Tensor, tf.Tensor];
    return tf.concat([tf.div(tf.add(low, high), 2), tf.sub(high, low)], -1) as T;
  });
}

/**
 * Boxes as shares of their images, or what multiplies such shares back.
 * @param sizes float32 [N, 2], (height, width). @returns float32 [N, 1, 4], width, height, width, height.
 */
export function extents(sizes: tf.Tensor2D): tf.Tensor3D {
  return tf.tidy(() => tf.expandDims(tf.tile(tf.reverse(sizes, 1), [1, 2]), 1));
}
