/** Masks as the bitmaps of their own boxes, as labelling tools keep them, and as COCO's run lengths of the whole image. */
import { mask, type Rle, type UncompressedRle } from '@cocoeval/ts';
import { FileError } from '@pyramidal/files';

/** Pixel (x, y) of the image is `data[(y - top) * width + x - left]`, 0 or 1; outside of the box it is 0. */
export interface BoxMask {
  readonly data: Uint8Array;
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

/** Pixels of a bitmap, as of images that are decoded. */
const MAX_PIXELS = 50_000_000;

/** @param where stands before the error. @throws FileError for a bitmap that would fill the memory. */
export function requireSmall({ width, height }: Pick<BoxMask, 'width' | 'height'>, where: string): void {
  if (width * height > MAX_PIXELS)
    throw new FileError(where, `expected a mask of at most ${MAX_PIXELS} pixels, received ${width}x${height}`);
}

/** A mask's bitmap over its own box, in the time of its runs and its box, whatever the size of the image. @param where as above */
export function cropRuns(rle: Rle | UncompressedRle, where: string): BoxMask {
  const [left, top, width, height] = mask.toBbox(rle);
  requireSmall({ width, height }, where);
  const { size, counts } = mask.toUncompressed(rle as Rle);
  const data = new Uint8Array(width * height);
  let at = 0;
  counts.forEach((run, i) => {
    if (i % 2 === 1) for (const end = at + run; at < end; at++) data[placeOf(at, size[0])] = 1;
    else at += run;
  });
  return { data, left, top, width, height };

  function placeOf(pixel: number, rows: number): number {
    return ((pixel % rows) - top) * width + Math.floor(pixel / rows) - left;
  }
}

/** The run lengths of a bitmap in an image that its box lies in. */
export function placeRuns({ data, left, top, width, height }: BoxMask, image: { width: number; height: number }): Rle {
  const counts: number[] = [0];
  let [at, value] = [0, 0]; // where the last run ends, and what the pixels in it are
  const extend = (to: number, pixel: number): void => {
    if (to === at) return;
    if (pixel === value) counts[counts.length - 1]! += to - at;
    else counts.push(to - at);
    [at, value] = [to, pixel];
  };
  for (let x = 0; x < width; x++) {
    const column = (left + x) * image.height + top;
    extend(column, 0);
    for (let y = 0; y < height; y++) extend(column + y + 1, data[y * width + x]!);
  }
  extend(image.width * image.height, 0);
  return mask.fromUncompressed({ size: [image.height, image.width], counts });
}
