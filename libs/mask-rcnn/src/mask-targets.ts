/** The mask that the mask head learns for each RoI: its object's, averaged over the RoI's bins (Mask R-CNN, section 3). */
import * as tf from '@tensorflow/tfjs-core';
import { clipBoxes, coordinates, takeRows } from '@pyramidal/boxes';
import type { MaskTruth } from '@pyramidal/detector';
import { roiAlign } from '@pyramidal/rois';

export interface MaskTargetOptions {
  /** Side of the targets. */
  readonly side: number;
  /** As in RoIAlign. */
  readonly sampling: number | 'adaptive';
}

/**
 * @param boxes float32 [R, 4], xyxy, RoIs; what lies outside of the image is cut off first.
 * @param rows int32 [R], the object of each.
 * @param size float32 [2], (height, width) of the image.
 * @returns float32 [R, side, side], 0 or 1: the mask covers at least half of the bin.
 */
export function maskTargets(
  { masks, regions }: Pick<MaskTruth, 'masks' | 'regions'>,
  boxes: tf.Tensor2D,
  rows: tf.Tensor1D,
  size: tf.Tensor1D,
  { side, sampling }: MaskTargetOptions,
): tf.Tensor3D {
  return tf.tidy(() => {
    const [, height, width] = masks.shape;
    const [left, top, right, bottom] = coordinates(takeRows(regions, rows));
    const corner = tf.stack([left, top, left, top], 1);
    const extent = tf.stack([tf.sub(right, left), tf.sub(bottom, top)], 1);
    const cells = tf.div(tf.tensor2d([[width, height]]), tf.maximum(extent, 1e-6));
    const onMasks: tf.Tensor2D = tf.mul(tf.sub(clipBoxes(boxes, size), corner), tf.tile(cells, [1, 2]));
    const maps = [tf.expandDims(masks, 3) as tf.Tensor4D];
    const coverage = roiAlign(
      { maps, scales: [1] },
      { boxes: onMasks, images: rows },
      { bins: [side, side], sampling },
    );
    const isCovered = tf.greaterEqual(tf.squeeze(coverage, [3]), 0.5);
    return tf.cast(isCovered, 'float32') as tf.Tensor3D;
  });
}
