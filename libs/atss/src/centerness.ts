/** Centerness (FCOS, Tian et al. 2019, eq. 3): how near to the middle of its object an anchor lies. */
import * as tf from '@tensorflow/tfjs-core';
import { sidesFromCentres } from './sides';

/**
 * sqrt(min(l, r) / max(l, r) * min(t, b) / max(t, b)) of the distances from anchors' centres to the sides of boxes.
 * @param anchors float32 [A, 4], xyxy. @param boxes float32 [A, 4], xyxy.
 * @returns float32 [A], 1 in the middle and 0 at the edge; without meaning for centres outside.
 */
export function centerness(anchors: tf.Tensor2D, boxes: tf.Tensor2D): tf.Tensor1D {
  return tf.tidy(() => {
    const [left, top, right, bottom] = sidesFromCentres(anchors, boxes);
    const balance = (a: tf.Tensor, b: tf.Tensor): tf.Tensor => tf.div(tf.minimum(a, b), tf.maximum(a, b));
    return tf.sqrt(tf.mul(balance(left, right), balance(top, bottom))) as tf.Tensor1D;
  });
}
