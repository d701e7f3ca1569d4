/** A dropped picture as the network's input. */
import { IMAGENET_NORMALISATION, normaliseImage, resizeAndCentreCrop, type RgbImage } from '@pyramidal/images/portable';

/**
 * Decodes a picture to 8-bit RGB; colour profiles are ignored, as in training.
 * @param imageOrientation pixels as they are stored, as classifiers see them, or turned as their tag says, as detectors do.
 * @throws Error in one line, naming the file.
 */
export async function decodePicture(
  file: Blob,
  name: string,
  imageOrientation: 'none' | 'from-image' = 'none',
): Promise<RgbImage> {
  const bitmap = await createImageBitmap(file, { colorSpaceConversion: 'none', imageOrientation }).catch(() => {
    throw new Error(`${name}: cannot be decoded, expected a picture such as PNG, JPEG or WebP`);
  });
  const { width, height } = bitmap;
  const context = new OffscreenCanvas(width, height).getContext('2d', { willReadFrequently: true })!;
  context.drawImage(bitmap, 0, 0);
  bitmap.close();
  const rgba = context.getImageData(0, 0, width, height).data;
  const data = new Uint8Array(width * height * 3);
  for (let from = 0, to = 0; from < rgba.length; from += 4) {
    for (let channel = 0; channel < 3; channel++) data[to++] = rgba[from + channel]!;
  }
  return { data, width, height };
}

/** The square that the network sees: the shorter side resized to `size` as Pillow does, bicubically, the centre cut out. */
export const networkView = (picture: RgbImage, size: number): RgbImage =>
  resizeAndCentreCrop(picture, { size, cropPct: 1 });

/** @returns float32 [height, width, 3], ImageNet's mean and standard deviation taken out. */
export const normalised = (picture: RgbImage): Float32Array => normaliseImage(picture, IMAGENET_NORMALISATION);

/** A picture that a canvas can show. */
export function toImageData({ data, width, height }: RgbImage): ImageData {
  const image = new ImageData(width, height);
  for (let from = 0, to = 0; from < data.length; from += 3, to += 4) {
    image.data.set(data.subarray(from, from + 3), to);
    image.data[to + 3] = 255;
  }
  return image;
}
