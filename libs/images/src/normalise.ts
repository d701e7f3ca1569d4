/** Pictures as normalised float32 values, and back. */
import * as tf from '@tensorflow/tfjs-core';
import type { Normalisation } from './normalisation';
import type { Pixels } from './pixel-batch';
import { type Placement, floatSink } from './resize/row-sink';
import { put, reserve } from './resize/rows';
import type { RgbImage, Size } from './rgb-image';

/** The normalised picture as float32 `[height, width, 3]` values. */
export function normaliseImage(image: RgbImage, normalisation: Normalisation): Float32Array {
  const out = new Float32Array(image.data.length);
  writeNormalised(image, normalisation, out);
  return out;
}

/** The picture that was normalised, or its bytes. @param pixels `[height, width, 3]` values. */
export function restoreImage(pixels: Pixels, { width, height }: Size, { mean, std }: Normalisation): RgbImage {
  if (pixels instanceof Uint8Array) return { data: pixels.slice(), width, height };
  const data = Uint8Array.from(pixels, (value, i) => {
    return Math.min(255, Math.max(0, Math.round(value * std[i % 3]! + mean[i % 3]!)));
  });
  return { data, width, height };
}

/**
 * Batches pictures as float32 [N, H, W, 3]. Smaller pictures lie in the top left corner and are padded with zeros after normalising,
 * which is the mean colour.
 * @param canvas H and W; the largest height and width among the pictures unless told.
 */
export function imagesToTensor(
  images: readonly RgbImage[],
  normalisation: Normalisation,
  canvas: Size = enclosingSize(images),
): tf.Tensor4D {
  const { width, height } = canvas;
  const out = new Float32Array(images.length * height * width * 3);
  images.forEach((image, i) => {
    if (image.width > width || image.height > height) {
      throw new RangeError(
        `imagesToTensor: expected images up to ${width}x${height}, received ${image.width}x${image.height} at index ${i}`,
      );
    }
    writeNormalised(image, normalisation, out, { offset: i * height * width * 3, canvasWidth: width });
  });
  return tf.tensor4d(out, [images.length, height, width, 3]);
}

/** Pixel values on the engine, normalised to the same numbers. @param pixels float32 [N, H, W, 3], 0 to 255. */
export function normaliseTensor(pixels: tf.Tensor4D, { mean, std }: Normalisation): tf.Tensor4D {
  const scales = std.map((deviation) => 1 / deviation);
  return tf.tidy(() => tf.mul(tf.sub(pixels, tf.tensor1d([...mean])), tf.tensor1d(scales)));
}

function writeNormalised(
  { data, width, height }: RgbImage,
  normalisation: Normalisation,
  out: Float32Array,
  placement: Placement = {},
): void {
  const stride = width * 3;
  const sink = floatSink(normalisation, out, width, placement);
  const [row, scratch] = reserve([stride, sink.scratch]);
  for (let y = 0; y < height; y++) {
    put(row, data.subarray(y * stride, (y + 1) * stride));
    sink.write(y, row, scratch);
  }
}

function enclosingSize(images: readonly RgbImage[]): Size {
  return {
    width: Math.max(0, ...images.map((image) => image.width)),
    height: Math.max(0, ...images.map((image) => image.height)),
  };
}
