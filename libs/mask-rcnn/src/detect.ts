/** From class logits and deltas to the boxes of an image. */
import * as tf from '@tensorflow/tfjs-core';
import { clipBoxes, decodeDeltas } from '@pyramidal/boxes';
import { chooseDetections, type DetectionOptions, type Detections, toOriginal } from '@pyramidal/detector';
import type { BoxHeadOptions, BoxOutput } from './box-head';

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
  options: DetectionOptions,
): Detections {
  return tf.tidy(() => {
    const rois = boxes.shape[0];
    const probabilities = tf.slice(tf.softmax(logits), [0, 0], [rois, head.classes]);
    const scores: tf.Tensor2D = tf.mul(probabilities, tf.expandDims(tf.cast(valid, 'float32'), 1));
    const perClass = decodeDeltas(tf.expandDims(boxes, 1), tf.reshape(deltas, [rois, -1, 4]), head.deltas);
    return chooseDetections(toOriginal(clipBoxes(perClass, size), scale) as tf.Tensor3D, scores, options);
  });
}
