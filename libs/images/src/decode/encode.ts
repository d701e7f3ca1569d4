/** Pictures as the bytes of a file. */
import sharp from 'sharp';
import type { RgbImage } from '../rgb-image';

/** A JPEG of more pixels takes a few per cent more bytes, since the best code needs the whole picture once more in memory. */
const LARGE = 2_000_000;

/** Encodes for a file of this name: PNG, which keeps every pixel, JPEG or WebP. @param quality 1 to 100, not of PNG. */
export async function encodeImage(
  { data, width, height }: RgbImage,
  format: 'png' | 'jpeg' | 'webp',
  quality = 92,
): Promise<Buffer> {
  // A PNG with a quality would be one of 256 colours.
  const options = format === 'png' ? {} : { quality };
  const coding = format === 'jpeg' ? { optimizeCoding: width * height < LARGE } : {};
  return sharp(data, { raw: { width, height, channels: 3 } })
    .toFormat(format, { ...options, ...coding })
    .toBuffer();
}
