/** From a predicted set to detections: the best pairs of a query and a class, of which nothing suppresses another. */
import * as tf from '@tensorflow/tfjs-core';
import { clipBoxes, type Detections, takeRows, toOriginal } from '@pyramidal/boxes';
import { extents, toCorners } from './box-format';
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

export function bestPairs(
  { logits, boxes }: SetPrediction,
  { sizes, scales, count, clips }: DetectionFrame,
): Detections[] {
  return tf.tidy(() => {
    const [, , classes] = logits.shape;
    const pixels = tf.mul<tf.Tensor3D>(toCorners(boxes), extents(sizes));
    const scores = tf.unstack(tf.sigmoid(logits)) as tf.Tensor2D[];
    const [corners, limits, factors] = [pixels, sizes, scales].map((x) => tf.unstack(x));
    return scores.map((own, image) => {
      const { values, indices } = tf.topk<tf.Tensor1D>(tf.reshape(own, [-1]), Math.min(count, own.size));
      const query = tf.cast(tf.floor(tf.div<tf.Tensor1D>(tf.cast(indices, 'float32'), classes)), 'int32');
      const label: tf.Tensor1D = tf.sub(indices, tf.mul(query, tf.scalar(classes, 'int32')));
      const taken = takeRows(corners![image] as tf.Tensor2D, query);
      const shown = clips === true ? clipBoxes(taken, limits![image] as tf.Tensor1D) : taken;
      const found = {
        boxes: toOriginal(shown, factors![image] as tf.Tensor1D),
        scores: values,
        labels: label,
        valid: tf.ones<tf.Rank.R1>([values.size], 'bool'),
      };
      return clips === true ? withoutEmpty(found) : found;
    });
  });
}

/** Detections without extent come last and are none. */
function withoutEmpty({ boxes, scores, labels }: Detections): Detections {
  const [x1, y1, x2, y2] = tf.unstack(boxes, 1) as [tf.Tensor1D, tf.Tensor1D, tf.Tensor1D, tf.Tensor1D];
  const isBox = tf.logicalAnd(tf.greater(x2, x1), tf.greater(y2, y1));
  const order = tf.topk(tf.where(isBox, scores, tf.fill(scores.shape, -1)), scores.size);
  const valid = tf.greaterEqual(order.values, 0);
  return {
    boxes: takeRows(boxes, order.indices),
    scores: tf.relu(order.values),
    labels: takeRows(labels, order.indices),
    valid,
  } as Detections;
}
