/** From class logits and deltas to the boxes of an image. */
import * as tf from '@tensorflow/tfjs-core';
import { clipBoxes } from './boxes';
import { decodeDeltas } from './box-deltas';
import type { BoxHeadOptions, BoxOutput } from './box-head';
import { classwiseNms } from './nms';
import { takeRows } from './take-rows';

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
};

export interface DetectionInputs {
  /** float32 [R, 4], xyxy, the RoIs that the head saw. */
  readonly boxes: tf.Tensor2D;
  /** bool [R]. */
  readonly valid: tf.Tensor1D;
  /** float32 [2], (height, width) of the image in the network's input. */
  readonly size: tf.Tensor1D;
  /** float32 [2], (y, x): the network's input over the original image. */
  readonly scale: tf.Tensor1D;
}

/** Every class of every RoI is a candidate; classes suppress among themselves. */
export function detect(
  { logits, deltas }: BoxOutput,
  { boxes, valid, size, scale }: DetectionInputs,
  head: Pick<BoxHeadOptions, 'classes' | 'deltas'>,
  { scoreThreshold, iouThreshold, count }: DetectionOptions,
): Detections {
  return tf.tidy(() => {
    const { classes } = head;
    const rois = boxes.shape[0];
    const probabilities = tf.slice(tf.softmax(logits), [0, 0], [rois, classes]);
    const scores = tf.reshape(tf.mul(probabilities, tf.expandDims(tf.cast(valid, 'float32'), 1)), [-1]) as tf.Tensor1D;
    const perClass = decodeDeltas(tf.expandDims(boxes, 1), tf.reshape(deltas, [rois, -1, 4]), head.deltas);
    const original = tf.div(clipBoxes(perClass, size), tf.tile(tf.reverse(scale), [2]));
    const candidates = tf.reshape(tf.broadcastTo(original, [rois, classes, 4]), [-1, 4]) as tf.Tensor2D;
    const labels = tf.tile(tf.range(0, classes, 1, 'int32'), [rois]);
    const kept = classwiseNms(candidates, scores, labels, { iouThreshold, scoreThreshold, maxOutputs: count });
    return {
      boxes: takeRows(candidates, kept.indices),
      scores: tf.mul(takeRows(scores, kept.indices), tf.cast(kept.valid, 'float32')),
      labels: takeRows(labels, kept.indices),
      valid: kept.valid,
    };
  });
}
