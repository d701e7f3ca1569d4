/** Pictures resized while they are decoded, so that of a large one some rows at a time are in memory. */
import { resizeImage, type ResizeOptions, resizeSomeRows, sourceRows } from '../resize/resize';
import type { Rows } from '../resize/target';
import type { RgbImage, Size } from '../rgb-image';
import { collectGarbage } from './collect-garbage';
import { type ImageSource, isFile, requirePixels, withOpened } from './decode';
import { type DecodeOptions, decodedSize, decodePixels, decodeRows, mostWhole, type Opened, PART } from './pixels';

export interface ResizedPictures {
  /** Of the picture as it was. */
  readonly original: Size;
  readonly images: readonly RgbImage[];
}

/**
 * A picture at other sizes, to the last bit as `resizeImage` makes them of the whole.
 * @param plan says the sizes, told that of the picture. @param name what errors call a picture without a path.
 * @throws BrokenImageError naming the picture: it cannot be decoded, or its pixels are not as many as it says.
 */
export async function decodeResized(
  source: ImageSource,
  options: DecodeOptions,
  plan: (original: Size) => readonly ResizeOptions[],
  name?: string,
): Promise<ResizedPictures> {
  if (!isFile(source)) return resizeWhole(requirePixels(source, name), plan);
  return withOpened(source, { options, name }, async (picture) => {
    const size = decodedSize(picture);
    if (size.width * size.height <= mostWhole(picture)) return resizeWhole(await decodePixels(picture), plan);
    const made: RgbImage[] = [];
    for (const resizing of plan(size)) made.push(await resizeInParts(picture, resizing));
    return { original: size, images: made };
  });
}

function resizeWhole(image: RgbImage, plan: (original: Size) => readonly ResizeOptions[]): ResizedPictures {
  const { width, height } = image;
  const original = { width, height };
  return { original, images: plan(original).map((resizing) => resizeImage(image, resizing)) };
}

async function resizeInParts(picture: Opened, resizing: ResizeOptions): Promise<RgbImage> {
  const { width, height } = resizing;
  const size = decodedSize(picture);
  const data = new Uint8Array(3 * width * height);
  const parts = Math.min(height, Math.ceil((size.width * size.height) / PART));
  for (let part = 0; part < parts; part++) {
    const [from, to] = [part, part + 1].map((edge) => Math.floor((edge * height) / parts)) as [number, number];
    await resizePart(picture, resizing, { from, to }, data);
    await collectGarbage();
  }
  return { data, width, height };
}

/** @param rows of the resized picture that are made. */
async function resizePart(picture: Opened, resizing: ResizeOptions, rows: Rows, out: Uint8Array): Promise<void> {
  const size = decodedSize(picture);
  const needed = sourceRows(size, resizing, rows);
  const { data } = await decodeRows(picture, needed);
  resizeSomeRows({ data, ...size, top: needed.from }, resizing, rows, out);
}
