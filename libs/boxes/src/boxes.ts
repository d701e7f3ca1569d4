/** Plain geometry of boxes `[x1, y1, x2, y2]`. */
import * as tf from '@tensorflow/tfjs-core';

/** The four coordinates of boxes. @param boxes float32 [..., 4]. @returns x1, y1, x2, y2, float32 [...] each. */
export function coordinates(boxes: tf.Tensor): [tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor] {
  return tf.unstack(boxes, -1) as [tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor];
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
function intersections(a: tf.Tensor, b: tf.Tensor): tf.Tensor {
  return tf.tidy(() => {
    const [ax1, ay1, ax2, ay2] = coordinates(a);
    const [bx1, by1, bx2, by2] = coordinates(b);
    const width = tf.relu(tf.sub(tf.minimum(ax2, bx2), tf.maximum(ax1, bx1)));
    const height = tf.relu(tf.sub(tf.minimum(ay2, by2), tf.maximum(ay1, by1)));
    return tf.mul(width, height);
  });
}

/** No union and no area is smaller, so that empty boxes divide by something. */
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
 * The share of each box's own area that lies in each region (intersection over foreground).
 * @param boxes float32 [A, 4], xyxy. @param regions float32 [I, 4], xyxy.
 * @returns float32 [I, A].
 */
export function sharesWithin(boxes: tf.Tensor2D, regions: tf.Tensor2D): tf.Tensor2D {
  return tf.tidy(() => {
    const shared = intersections(tf.expandDims(regions, 1), tf.expandDims(boxes, 0));
    return tf.div(shared, tf.maximum(tf.expandDims(areas(boxes), 0), MIN_UNION)) as tf.Tensor2D;
  });
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
