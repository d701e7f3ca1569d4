/** Masks as PNG within text, over their own boxes alone, as LabelMe keeps them. */
import type { Rle, UncompressedRle } from '@cocoeval/ts';
import { FileError } from '@pyramidal/files';
import { decodeImage, encodeImage } from '@pyramidal/images';
import { cropRuns, placeRuns } from './box-mask';

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
  // Grey comes three times.
  const data = new Uint8Array(picture.width * picture.height).map((_, i) => Number(picture.data[3 * i]! > 0));
  return placeRuns({ ...picture, data, left, top }, { width, height });
}

/** @param where stands before errors. @throws FileError for a mask that is too large. */
export async function encodeMask(runs: Rle | UncompressedRle, where: string): Promise<MaskPng> {
  const box = cropRuns(runs, where);
  const [left, top, width, height] = [box.left, box.top, Math.max(1, box.width), Math.max(1, box.height)];
  const data = new Uint8Array(width * height * 3);
  box.data.forEach((pixel, i) => data.fill(255 * pixel, 3 * i, 3 * i + 3));
  const png = (await encodeImage({ data, width, height }, 'png')).toString('base64');
  return { png, left, top, right: left + width - 1, bottom: top + height - 1 };
}
