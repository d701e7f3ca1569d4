import type * as tf from '@tensorflow/tfjs-core';
import { resizeBilinear } from '@pyramidal/kernels';

/** Bilinear resize of maps to the height and width of others, corners not aligned, as everywhere in these heads. */
export function resizeTo(x: tf.Tensor4D, [, height, width]: readonly number[]): tf.Tensor4D {
  const [, h, w] = x.shape;
  return h === height && w === width ? x : resizeBilinear(x, [height!, width!], { alignCorners: false });
}
