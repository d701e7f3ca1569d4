import * as tf from '@tensorflow/tfjs-core';
import type { Rgb, RgbImage, Size } from './rgb-image';

/** Pixel values become `(value - mean) / std`, in units of 0 to 255. */
export interface Normalisation {
  readonly mean: Rgb;
  readonly std: Rgb;
}

export const IMAGENET_NORMALISATION: Normalisation = {
  mean: [123.675, 116.28, 103.53],
  std: [58.395, 57.12, 57.375],
};

/**
 * Writes the normalised picture into a larger float canvas whose rows are `canvasWidth` pixels wide.
 * @param offset index of the picture's first value in `out`.
 */
export function writeNormalised(
  { data, width, height }: RgbImage,
  normalisation: Normalisation,
  out: Float32Array,
  { offset = 0, canvasWidth = width } = {},
): void {
  const [red, green, blue] = [0, 1, 2].map((channel) => lookupTable(normalisation, channel)) as [
    Float32Array,
    Float32Array,
    Float32Array,
  ];
  for (let y = 0, from = 0; y < height; y++) {
    let to = offset + y * canvasWidth * 3;
    for (const end = from + width * 3; from < end; from += 3, to += 3) {
      out[to] = red[data[from]!]!;
      out[to + 1] = green[data[from + 1]!]!;
      out[to + 2] = blue[data[from + 2]!]!;
    }
  }
}

/** The normalised picture as float32 `[height, width, 3]` values. */
export function normaliseImage(image: RgbImage, normalisation: Normalisation): Float32Array {
  const out = new Float32Array(image.data.length);
  writeNormalised(image, normalisation, out);
  return out;
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

function enclosingSize(images: readonly RgbImage[]): Size {
  return {
    width: Math.max(0, ...images.map((image) => image.width)),
    height: Math.max(0, ...images.map((image) => image.height)),
  };
}

function lookupTable({ mean, std }: Normalisation, channel: number): Float32Array {
  return Float32Array.from({ length: 256 }, (_, value) => (value - mean[channel]!) / std[channel]!);
}
