/** The one way of resizing maps in these heads. */
import type * as tf from '@tensorflow/tfjs-core';
import { resizeBilinear } from '@pyramidal/kernels';

/**
 * Bilinear resize of maps to the height and width of others, corners not aligned.
 * @param x float32 [N, h, w, C].
 * @returns float32 [N, height, width, C].
 */
export function resizeTo(x: tf.Tensor4D, [, height, width]: readonly number[]): tf.Tensor4D {
  const [, h, w] = x.shape;
  return h === height && w === width ? x : resizeBilinear(x, [height!, width!], { alignCorners: false });
}
