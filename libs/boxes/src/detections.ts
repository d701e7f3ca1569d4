/** From candidate boxes to the detections of an image. */
import * as tf from '@tensorflow/tfjs-core';
import { classwiseNms } from './nms';
import { takeRows } from './take-rows';

/** Which boxes become detections. */
export interface DetectionOptions {
  /** Only scores above it count. */
  readonly scoreThreshold: number;
  readonly iouThreshold: number;
  /** D, detections per image. */
  readonly count: number;
}

/** D detections of one image, best first. */
export type Detections = {
  /** float32 [D, 4], xyxy, pixels of the original image. */
  boxes: tf.Tensor2D;
  /** float32 [D]; 0 where a row is no detection. */
  scores: tf.Tensor1D;
  /** int32 [D]. */
  labels: tf.Tensor1D;
  /** bool [D]. */
  valid: tf.Tensor1D;
  /** Where the detector predicts masks: probabilities of each detection's own class, float32 [D, side, side], over its box. */
  masks?: tf.Tensor3D;
};

/**
 * The detections among boxes that are scored for every class; classes suppress among themselves.
 * @param boxes float32 [B, 4], shared by the classes, or [B, classes, 4]; xyxy, pixels of the original image.
 * @param scores float32 [B, classes].
 * @returns D rows, shapes as in `Detections`.
 */
export function chooseDetections(
  boxes: tf.Tensor2D | tf.Tensor3D,
  scores: tf.Tensor2D,
  { scoreThreshold, iouThreshold, count }: DetectionOptions,
): Detections {
  return tf.tidy(() => {
    const [rows, classes] = scores.shape;
    const perClass = tf.broadcastTo(tf.reshape(boxes, [rows, -1, 4]), [rows, classes, 4]);
    const candidates: tf.Tensor2D = tf.reshape(perClass, [-1, 4]);
    const flat: tf.Tensor1D = tf.reshape(scores, [-1]);
    const labels = tf.tile(tf.range(0, classes, 1, 'int32'), [rows]);
    const kept = classwiseNms(candidates, flat, labels, { iouThreshold, scoreThreshold, maxOutputs: count });
    return {
      boxes: takeRows(candidates, kept.indices),
      scores: tf.mul(takeRows(flat, kept.indices), tf.cast(kept.valid, 'float32')),
      labels: takeRows(labels, kept.indices),
      valid: kept.valid,
    };
  });
}

/**
 * Boxes in pixels of the original image.
 * @param boxes float32 [..., 4], pixels of the network's input.
 * @param scale float32 [2], (y, x): the network's input over the original image.
 * @returns the shape of the boxes.
 */
export function toOriginal<T extends tf.Tensor>(boxes: T, scale: tf.Tensor1D): T {
  return tf.tidy(() => tf.div(boxes, tf.tile(tf.reverse(scale), [2])) as T);
}
