import * as tf from '@tensorflow/tfjs-core';
import type { Truth } from './matcher';

/** Ground truth of a batch, G rows an image, of which those with a label are objects. */
export interface TruthBatch {
  /** float32 [N, G, 4], xyxy, pixels of the network's input. */
  readonly boxes: tf.Tensor3D;
  /** int32 [N, G], class of each object from 0; -1 where a row holds none. */
  readonly labels: tf.Tensor2D;
  /** float32 [N, G, h, w], 0 or 1: each object's mask, over its region. */
  readonly masks: tf.Tensor4D;
  /** float32 [N, G, 4], xyxy, pixels of the network's input: what part of the image each mask covers. */
  readonly regions: tf.Tensor3D;
  /** float32 [N, I, 4], xyxy: regions of crowds, for matching with an `ignoreShare`; rows of zeros hold none. */
  readonly ignored?: tf.Tensor3D;
}

/** Boxes and labels of one image. */
export interface ImageTruth extends Truth {
  /** int32 [G], -1 where a row is no object. */
  readonly labels: tf.Tensor1D;
}

export function truthOfImages({
  boxes,
  labels,
  ignored,
}: Pick<TruthBatch, 'boxes' | 'labels' | 'ignored'>): ImageTruth[] {
  const regions = ignored === undefined ? [] : (tf.unstack(ignored) as tf.Tensor2D[]);
  const perImage = tf.unstack(labels) as tf.Tensor1D[];
  return tf.unstack(boxes).map((imageBoxes, i) => {
    const own = perImage[i]!;
    const crowds = regions[i];
    const truth: ImageTruth = { boxes: imageBoxes as tf.Tensor2D, labels: own, valid: tf.greaterEqual(own, 0) };
    return crowds === undefined ? truth : { ...truth, ignored: crowds };
  });
}
