/** Images as networks take them: a training's come as bytes where the engine takes those, and are normalised in the step. */
import { IMAGENET_NORMALISATION, type PixelTensor } from '@pyramidal/images';
import { floatsOfBytes } from '@pyramidal/kernels';
import * as tf from '@tensorflow/tfjs-core';

/**
 * The numbers of the loader's own normalising, to the last bit.
 * @param images as `pixelTensor` gives them. @param sizes float32 [N, 2], (height, width) of each image within the batch, where
 * not all of it is image.
 * @returns float32 [N, H, W, 3], zeros beside the images.
 */
export function normalisedImages(images: PixelTensor, sizes?: tf.Tensor2D): tf.Tensor4D {
  if (images.dtype === 'float32') return images as tf.Tensor4D;
  return tf.tidy(() => {
    const [count, height, words] = images.shape;
    const width = (words * 4) / 3;
    const { mean, std } = IMAGENET_NORMALISATION;
    // Rows of all channels in place of pixels of three: long vectors.
    const rowOf = (channels: readonly number[]): tf.Tensor1D =>
      tf.tensor1d(Array.from({ length: width * 3 }, (_, i) => channels[i % 3]!));
    const means = sizes === undefined ? rowOf(mean) : withinImages(rowOf(mean), sizes, height);
    const centred = tf.sub(floatsOfBytes(images), means);
    return tf.reshape(tf.mul(centred, rowOf(std.map((each) => 1 / each))), [count, height, width, 3]);
  });
}

/** A row's values inside of images and zeros beside them, where bytes are zeros as well: float32 [3 W] -> [N, H, 3 W]. */
function withinImages(row: tf.Tensor1D, sizes: tf.Tensor2D, height: number): tf.Tensor {
  const [heights, widths] = tf.split(tf.expandDims(sizes, 2), 2, 1) as [tf.Tensor3D, tf.Tensor3D];
  const places = (length: number, of: (i: number) => number): tf.Tensor1D =>
    tf.tensor1d(Array.from({ length }, (_, i) => of(i)));
  const columns = tf.less(
    places(row.size, (i) => Math.floor(i / 3)),
    widths,
  ); // [N, 1, 3 W]
  const rows = tf.less(
    tf.reshape(
      places(height, (y) => y),
      [height, 1],
    ),
    heights,
  ); // [N, H, 1]
  return tf.mul(tf.cast(rows, 'float32'), tf.mul(tf.cast(columns, 'float32'), row));
}
