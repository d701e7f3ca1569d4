/** From candidate boxes to the detections of an image. */
import * as tf from '@tensorflow/tfjs-core';
import { nms, takeRows } from '@pyramidal/boxes';

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
    const kept = nms(candidates, flat, { iouThreshold, scoreThreshold, maxOutputs: count, classes: labels });
    return {
      boxes: takeRows(candidates, kept.indices),
      scores: tf.mul(takeRows(flat, kept.indices), tf.cast(kept.valid, 'float32')),
      labels: takeRows(labels, kept.indices),
      valid: kept.valid,
    };
  });
}

/**
 * The best pairs of a box and a class of one image, best first; nothing suppresses another.
 * @param scores float32 [B, classes].
 * @returns K pairs, so many as wanted or as there are: `rows` of the boxes and `labels` int32 [K], `scores` float32 [K].
 */
export function bestPairs(scores: tf.Tensor2D, wanted: number) {
  return tf.tidy(() => {
    const classes = scores.shape[1];
    const { values, indices } = tf.topk<tf.Tensor1D>(tf.reshape(scores, [-1]), Math.min(wanted, scores.size));
    // In the middle between whole numbers, so that no rounding matters; not all engines divide integers down.
    const shares = tf.div<tf.Tensor1D>(tf.add(tf.cast(indices, 'float32'), 0.5), classes);
    const rows = tf.cast(tf.floor(shares), 'int32');
    const labels: tf.Tensor1D = tf.sub(indices, tf.mul(rows, tf.scalar(classes, 'int32')));
    return { rows, labels, scores: values };
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
