/** Pixels of an image as the published weights expect them. */
import * as tf from '@tensorflow/tfjs-core';

/** ImageNet's, red, green and blue, in units of 0 to 255: what every published checkpoint was trained with. */
const MEAN = [123.675, 116.28, 103.53];
const STD = [58.395, 57.12, 57.375];

/**
 * Pixels as the published weights expect them: `(pixels - mean) / std`.
 * @param pixels [H, W, 3] or [N, H, W, 3], RGB from 0 to 255, of any dtype: as `tf.browser.fromPixels` gives them.
 * @returns float32 [N, H, W, 3].
 */
export function normalisePixels(pixels: tf.Tensor3D | tf.Tensor4D): tf.Tensor4D {
  return tf.tidy(() => {
    const images = pixels.rank === 3 ? tf.expandDims<tf.Tensor4D>(pixels) : (pixels as tf.Tensor4D);
    return tf.div(tf.sub(tf.cast(images, 'float32'), MEAN), STD);
  });
}
