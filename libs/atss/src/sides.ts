/** Where the centres of anchors lie within boxes. */
import * as tf from '@tensorflow/tfjs-core';
import { coordinates } from '@pyramidal/boxes';

/**
 * From the centres of anchors to the left, top, right and bottom sides of boxes.
 * @param anchors float32 [..., 4], xyxy. @param boxes float32 [..., 4], xyxy; axes of size 1 are shared.
 * @returns float32 [...] each, negative beyond the side.
 */
export function sidesFromCentres(
  anchors: tf.Tensor,
  boxes: tf.Tensor,
): [left: tf.Tensor, top: tf.Tensor, right: tf.Tensor, bottom: tf.Tensor] {
  const [ax1, ay1, ax2, ay2] = coordinates(anchors);
  const [x1, y1, x2, y2] = coordinates(boxes);
  const [x, y] = [tf.div(tf.add(ax1, ax2), 2), tf.div(tf.add(ay1, ay2), 2)];
  return [tf.sub(x, x1), tf.sub(y, y1), tf.sub(x2, x), tf.sub(y2, y)];
}
