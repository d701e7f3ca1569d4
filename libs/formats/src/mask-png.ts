/** Masks as PNG within text, over their own boxes alone, as LabelMe keeps them. */
import { mask, type Rle, type UncompressedRle } from '@cocoeval/ts';
import { FileError } from '@pyramidal/files';
import { decodeImage, encodeImage } from '@pyramidal/images';

/** A mask's picture and the pixels that it covers, the last ones included. */
export interface MaskPng {
  readonly png: string;
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

/**
 * Puts a mask's picture where it belongs in its image.
 * @throws FileError if it is no picture or leaves the image.
 */
export async function decodeMask(
  png: string,
  { left, top, width, height }: { left: number; top: number; width: number; height: number },
  where: string,
): Promise<Rle> {
  const picture = await decodeImage(Buffer.from(png, 'base64'), {}, where);
  const isInside = left >= 0 && top >= 0 && left + picture.width <= width && top + picture.height <= height;
  if (!isInside) {
    throw new FileError(where, `expected a mask inside of ${width}x${height}, received ${picture.width}x${picture.height} at (${left}, ${top})`); // prettier-ignore
  }
  const data = new Uint8Array(width * height);
  for (let y = 0; y < picture.height; y++) {
    for (let x = 0; x < picture.width; x++) {
      if (picture.data[(y * picture.width + x) * 3]! > 0) data[(top + y) * width + left + x] = 1;
    }
  }
  return mask.encode({ data, width, height });
}

export async function encodeMask(runs: Rle | UncompressedRle): Promise<MaskPng> {
  const [left, top, w, h] = mask.toBbox(runs as Rle);
  const [width, height] = [Math.max(1, w), Math.max(1, h)];
  const whole = mask.decode(runs);
  const data = new Uint8Array(width * height * 3);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      data.fill(255 * whole.data[(top + y) * whole.width + left + x]!, (y * width + x) * 3, (y * width + x) * 3 + 3);
    }
  }
  const png = (await encodeImage({ data, width, height }, 'png')).toString('base64');
  return { png, left, top, right: left + width - 1, bottom: top + height - 1 };
}
