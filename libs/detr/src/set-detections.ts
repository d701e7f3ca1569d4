/** From a predicted set to detections: the best pairs of a query and a class, of which nothing suppresses another. */
import * as tf from '@tensorflow/tfjs-core';
import { clipBoxes, coordinates, extents, takeRows, toCorners } from '@pyramidal/boxes';
import { bestPairs, type Detections, imagesOf, toOriginal } from '@pyramidal/detector';
import type { SetPrediction } from './hungarian-matcher';

export interface DetectionFrame {
  /** float32 [N, 2], (height, width) of the images within the network's input. */
  readonly sizes: tf.Tensor2D;
  /** float32 [N, 2], (y, x): the network's input over the original images. */
  readonly scales: tf.Tensor2D;
  /** Detections of an image. */
  readonly count: number;
  /** Whether boxes end at the image's edges, and those of which nothing is left are none. */
  readonly clips?: boolean;
}

export function detectionsOf(
  { logits, boxes }: SetPrediction,
  { sizes, scales, count, clips = false }: DetectionFrame,
): Detections[] {
  return tf.tidy(() => {
    const pixels = tf.mul<tf.Tensor3D>(toCorners(boxes), extents(sizes));
    return imagesOf({ scores: tf.sigmoid(logits), pixels, sizes, scales }).map((own) => {
      const { rows, labels, scores } = bestPairs(own.scores, count);
      const taken = takeRows(own.pixels, rows);
      const shown = toOriginal(clips ? clipBoxes(taken, own.sizes) : taken, own.scales);
      const found = { boxes: shown, scores, labels, valid: tf.ones<tf.Rank.R1>(rows.shape, 'bool') };
      return clips ? withoutEmpty(found) : found;
    });
  });
}

/** Detections without extent come last and are none. */
function withoutEmpty({ boxes, scores, labels }: Detections): Detections {
  const [x1, y1, x2, y2] = coordinates(boxes);
  const isBox = tf.logicalAnd<tf.Tensor1D>(tf.greater(x2, x1), tf.greater(y2, y1));
  const order = tf.topk(tf.where(isBox, scores, tf.fill(scores.shape, -1)), scores.size);
  const valid = tf.greaterEqual(order.values, 0);
  return {
    boxes: takeRows(boxes, order.indices),
    scores: tf.relu(order.values),
    labels: takeRows(labels, order.indices),
    valid,
  } as Detections;
}
