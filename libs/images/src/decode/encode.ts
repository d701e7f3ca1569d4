/** Pictures as the bytes of a file. */
import sharp from 'sharp';
import type { RgbImage } from '../rgb-image';

/** Encodes for a file of this name: PNG, which keeps every pixel, JPEG or WebP. @param quality 1 to 100, not of PNG. */
export async function encodeImage(
  { data, width, height }: RgbImage,
  format: 'png' | 'jpeg' | 'webp',
  quality = 92,
): Promise<Buffer> {
  // A PNG with a quality would be one of 256 colours.
  return sharp(data, { raw: { width, height, channels: 3 } })
    .toFormat(format, format === 'png' ? {} : { quality })
    .toBuffer();
}
