/** RoI features from the level of a pyramid that suits each RoI's size (FPN, eq. 1). */
import * as tf from '@tensorflow/tfjs-core';
import { areas } from '@pyramidal/boxes';
import { roiAlign, type RoiAlignOptions, type Rois } from './roi-align';

/** RoIs up to twice this side, in pixels, are read from the finest level. */
const FINEST_SIDE = 56;

/**
 * The pyramid level of every box: floor(log2(sqrt(area) / 56 + 1e-6)), within the levels there are.
 * @param boxes float32 [R, 4], xyxy, pixels.
 * @returns int32 [R].
 */
export function roiLevels(boxes: tf.Tensor2D, levels: number): tf.Tensor1D {
  return tf.tidy(() => {
    const side = tf.add(tf.div(tf.sqrt(areas(boxes)), FINEST_SIDE), 1e-6);
    const reached = Array.from({ length: levels - 1 }, (_, k) => tf.cast(tf.greaterEqual(side, 2 ** (k + 1)), 'int32'));
    return tf.addN([tf.zeros([boxes.shape[0]], 'int32'), ...reached]) as tf.Tensor1D;
  });
}

/**
 * @param maps float32 [N, H, W, C] per level, finest first, each of half the scale before.
 * @param strides pixels per cell of each.
 * @returns float32 [R, bins, bins, C].
 */
export function extractRois(
  maps: readonly tf.Tensor4D[],
  strides: readonly number[],
  rois: Rois,
  options: RoiAlignOptions,
): tf.Tensor4D {
  return tf.tidy(() => {
    const scales = strides.map((stride) => 1 / stride);
    return roiAlign({ maps, scales, levels: roiLevels(rois.boxes, maps.length) }, rois, options);
  });
}
