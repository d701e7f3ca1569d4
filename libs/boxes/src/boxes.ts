/** Plain geometry of boxes `[x1, y1, x2, y2]`. */
import * as tf from '@tensorflow/tfjs-core';

/** The four coordinates of boxes. @param boxes float32 [..., 4]. @returns x1, y1, x2, y2, float32 [...] each. */
export function coordinates(boxes: tf.Tensor): [tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor] {
  return tf.unstack(boxes, -1) as [tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor];
}

/** Corners of boxes that are given by centre and size. @param boxes float32 [..., 4], cxcywh. @returns the same shape, xyxy. */
export function cornersOf<T extends tf.Tensor>(boxes: T): T {
  return tf.tidy(() => {
    const [x, y, width, height] = coordinates(boxes);
    const [right, down] = [tf.mul(width, 0.5), tf.mul(height, 0.5)];
    return tf.stack([tf.sub(x, right), tf.sub(y, down), tf.add(x, right), tf.add(y, down)], -1) as T;
  });
}

/** Areas of boxes; negative extents count as they are. @param boxes float32 [..., 4]. @returns float32 [...]. */
export function areas(boxes: tf.Tensor): tf.Tensor {
  const [x1, y1, x2, y2] = coordinates(boxes);
  return tf.mul(tf.sub(x2, x1), tf.sub(y2, y1));
}

/**
 * Areas that boxes share.
 * @param a float32 [..., 4], xyxy. @param b float32 [..., 4], xyxy; axes of size 1 are shared.
 * @returns float32 [...].
 */
export function intersections(a: tf.Tensor, b: tf.Tensor): tf.Tensor {
  return tf.tidy(() => {
    const [ax1, ay1, ax2, ay2] = coordinates(a);
    const [bx1, by1, bx2, by2] = coordinates(b);
    const width = tf.relu(tf.sub(tf.minimum(ax2, bx2), tf.maximum(ax1, bx1)));
    const height = tf.relu(tf.sub(tf.minimum(ay2, by2), tf.maximum(ay1, by1)));
    return tf.mul(width, height);
  });
}

/** No union is smaller, so that empty boxes divide by something. */
const MIN_UNION = 1e-6;

/**
 * Intersection over union.
 * @param a float32 [..., 4], xyxy. @param b float32 [..., 4], xyxy; axes of size 1 are shared.
 * @returns float32 [...].
 */
export function iouOf(a: tf.Tensor, b: tf.Tensor): tf.Tensor {
  return tf.tidy(() => {
    const shared = intersections(a, b);
    const sum = tf.add(areas(a), areas(b));
    return tf.div(shared, tf.maximum(tf.sub(sum, shared), MIN_UNION));
  });
}

/**
 * Intersection over union of each of `a` with each of `b`.
 * @param a float32 [A, 4], xyxy. @param b float32 [B, 4], xyxy.
 * @returns float32 [A, B].
 */
export function boxIou(a: tf.Tensor2D, b: tf.Tensor2D): tf.Tensor2D {
  return tf.tidy(() => iouOf(tf.expandDims(a, 1), tf.expandDims(b, 0)) as tf.Tensor2D);
}

/**
 * Cuts boxes at the image's edges.
 * @param boxes float32 [..., 4].
 * @param size float32 [2], (height, width).
 * @returns the shape of the boxes.
 */
export function clipBoxes<T extends tf.Tensor>(boxes: T, size: tf.Tensor1D): T {
  return tf.tidy(() => {
    const limits = tf.tile(tf.reverse(size), [2]);
    return tf.minimum(tf.relu(boxes), limits);
  }) as T;
}
