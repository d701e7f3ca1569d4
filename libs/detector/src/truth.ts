/** Ground truth of a batch, padded to a fixed number of rows, and its parts image by image. */
import * as tf from '@tensorflow/tfjs-core';
import { imagesOf } from './images-of';

/** G rows an image, of which those with a label are objects. */
export interface TruthBatch {
  /** float32 [N, G, 4], xyxy, pixels of the network's input. */
  readonly boxes: tf.Tensor3D;
  /** int32 [N, G], class of each object from 0; -1 where a row holds none. */
  readonly labels: tf.Tensor2D;
  /** float32 [N, G, h, w], 0 or 1: each object's mask, over its region. Detectors of boxes alone need none. */
  readonly masks?: tf.Tensor4D;
  /** float32 [N, G, 4], xyxy, pixels of the network's input: what part of the image each mask covers. */
  readonly regions?: tf.Tensor3D;
  /** int32 [N, G]: 1 where an object has a mask, 0 where it is labelled by its box alone; default 1 for all. */
  readonly hasMask?: tf.Tensor2D;
  /** float32 [N, I, 4], xyxy: regions of crowds, for matching with an `ignoreShare`; rows of zeros hold none. */
  readonly ignored?: tf.Tensor3D;
}

/** The ground truth of an image, as far as matching needs it. */
export interface Truth {
  /** float32 [G, 4], xyxy; rows beyond the image's objects hold anything finite. */
  readonly boxes: tf.Tensor2D;
  /** bool [G]: which rows are objects. */
  readonly valid: tf.Tensor1D;
  /** float32 [I, 4], xyxy: regions of crowds; empty ones count for nothing. */
  readonly ignored?: tf.Tensor2D;
}

/** Boxes and labels of one image. */
export interface ImageTruth extends Truth {
  /** int32 [G], -1 where a row is no object. */
  readonly labels: tf.Tensor1D;
}

/** Masks of one image. */
export interface MaskTruth {
  /** float32 [G, h, w], 0 or 1. */
  readonly masks: tf.Tensor3D;
  /** float32 [G, 4], xyxy, pixels of the network's input: what each mask covers. */
  readonly regions: tf.Tensor2D;
  /** int32 [G], 1 where the object has a mask. */
  readonly hasMask: tf.Tensor1D;
}

/** Boxes and labels image by image: float32 [G, 4], int32 [G]. */
export function truthOfImages({ boxes, labels, ignored }: TruthBatch): ImageTruth[] {
  return imagesOf({ boxes, labels, ...(ignored && { ignored }) }).map((own) => ({
    ...own,
    valid: tf.greaterEqual<tf.Tensor1D>(own.labels, 0),
  }));
}

/** Masks image by image, float32 [G, h, w]. @throws Error if the batch has none. */
export function masksOfImages({ labels, masks, regions, hasMask = tf.onesLike(labels) }: TruthBatch): MaskTruth[] {
  if (masks === undefined || regions === undefined) {
    throw new Error('ground truth: expected masks and their regions to learn masks from, received boxes alone');
  }
  return imagesOf({ masks, regions, hasMask });
}
