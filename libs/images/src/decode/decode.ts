/** Files and bytes as 8-bit RGB, with the pixels that Pillow and OpenCV read. */
import sharp from 'sharp';
import type { RgbImage, Size } from '../rgb-image';
import { collectGarbage } from './collect-garbage';
import { drawnSize } from './drawn-size';
import { BrokenImageError, naming } from './broken-image';
import { formatOf, type ImageHeader, readHeader } from './header';
import { PixelBudget } from './pixel-budget';
import { type DecodeOptions, decodedSize, decodePixels, MOST_WHOLE, type Opened } from './pixels';
import { readImageFile } from './read-file';

/** Pixels that a picture may have, the sides of 48-megapixel cameras included. */
const MAX_PIXELS = 50_000_000;

/** Longest side, as JPEG's: decoders hold whole rows, and some hundreds of them. */
const MAX_SIDE = 65_535;

/** Pixels of a picture that is worth a look of the garbage collector, which takes some milliseconds. */
export const LARGE = 10_000_000;

/** No picture that is decoded has more bytes in its file for each pixel, of whatever it holds besides more than these. */
const BYTES_A_PIXEL = 8;
const OTHER_BYTES = 32 << 20;

/** Bytes that hold the header of nearly every file. */
const HEADER_BYTES = 128 * 1024;

/** Pictures in work share it, so that many large ones at the same time need no more memory than one. */
const budget = new PixelBudget(MAX_PIXELS);

/**
 * Decodes JPEG, PNG, WebP, the first frame of GIF, or the first page of TIFF to 8-bit RGB. Grey is repeated, alpha dropped, 16-bit cut to its
 * high byte, CMYK mixed as Pillow mixes it; colour profiles are ignored. JPEG, PNG and WebP pixels equal Pillow's and OpenCV's.
 * @param source a file's path, or the file's bytes (then `name` is what errors call it).
 * @throws BrokenImageError naming the image: another format, too many pixels, a device, a truncated or damaged file.
 */
export function decodeImage(source: ImageFile, options: DecodeOptions = {}, name?: string): Promise<RgbImage> {
  return withOpened(source, { options, name }, (picture) => decodePixels(picture));
}

/**
 * A picture to draw on: as `decodeImage` gives it, or, where it has more than 12.5 million pixels or a side of more than
 * 16384, smaller in the same shape, of 4 million pixels at most, so that drawing needs bounded memory.
 * @throws BrokenImageError as `decodeImage` does.
 */
export function decodePicture(source: ImageFile, options: DecodeOptions = {}): Promise<RgbImage> {
  return withOpened(source, { options }, (picture) => decodePixels(picture, drawnSize));
}

/**
 * Whether an image can be decoded to its end; very large ones need no memory for all of their pixels.
 * @returns its size as it is decoded.
 * @throws BrokenImageError as `decodeImage` does.
 */
export function checkImage(source: ImageFile, options: DecodeOptions = {}): Promise<Size> {
  return withOpened(source, { options }, async (picture) => {
    await decodePixels(picture, drawnSize);
    return decodedSize(picture);
  });
}

/** The path of a picture's file, or its bytes. */
type ImageFile = string | Uint8Array;

/** A picture: the path of its file, its file's bytes, or its pixels. */
export type ImageSource = ImageFile | RgbImage;

export const isFile = (source: ImageSource): source is ImageFile =>
  typeof source === 'string' || source instanceof Uint8Array;

/**
 * Does something with the pixels of a picture, decoded where they are not given. Of large pictures that are decoded one is in memory at a
 * time until it was used; so what uses one must not wait for another.
 * @param name what errors call a picture without a path.
 * @throws BrokenImageError naming the picture: it cannot be decoded, or its pixels are not as many as it says; what `use` throws.
 */
export async function withImage<T>(
  source: ImageSource,
  options: DecodeOptions = {},
  use: (image: RgbImage) => T,
  name?: string,
): Promise<T> {
  if (!isFile(source)) return use(requirePixels(source, name));
  let pixels = 0;
  const decode = async (picture: Opened): Promise<T> => {
    const image = await decodePixels(picture);
    pixels = image.width * image.height;
    return use(image);
  };
  const result = await withOpened(source, { options, name }, decode);
  if (pixels >= LARGE) await collectGarbage();
  return result;
}

/** @throws BrokenImageError if a picture's pixels are not as many as it says. */
export function requirePixels(image: RgbImage, name = 'image'): RgbImage {
  const { data, width, height } = image;
  const isWhole = Number.isInteger(width) && Number.isInteger(height) && width > 0 && height > 0;
  if (isWhole && data?.length === 3 * width * height) return image;
  const reason = `expected 3 bytes for each of ${width}x${height} pixels, received ${data?.length ?? 'none'}`;
  throw new BrokenImageError(name, reason);
}

/** Opens a picture's file and lends it when there is room for its pixels, which count until they were used. */
export async function withOpened<T>(
  source: ImageFile,
  { options, name }: { readonly options: DecodeOptions; readonly name?: string | undefined },
  use: (picture: Opened) => Promise<T>,
): Promise<T> {
  const { orientation = 'stored', maxPixels = MAX_PIXELS } = options;
  const own = name ?? (typeof source === 'string' ? source : 'image');
  const { bytes, header } = await naming(own, () => openFile(source, maxPixels));
  const { width, height } = header;
  return budget.use(width * height, async () => {
    if (width * height > MOST_WHOLE) await collectGarbage();
    return use({ name: own, bytes, header, orientation, maxPixels });
  });
}

/** The bytes of a picture whose header promises no more than is allowed. */
async function openFile(source: ImageFile, maxPixels: number): Promise<{ bytes: Uint8Array; header: ImageHeader }> {
  const bytes = typeof source === 'string' ? await readWhole(source, maxPixels) : source;
  const header = await headerOf(bytes);
  requireLimits(header, maxPixels);
  return { bytes, header };
}

/** A file is read when its header, where that is told first, promises no more than is allowed. */
async function readWhole(file: string, maxPixels: number): Promise<Uint8Array> {
  const start = await readImageFile(file, { first: HEADER_BYTES });
  const header = readHeader(start);
  if (hasSize(header)) requireLimits(header, maxPixels);
  if (start.length < HEADER_BYTES) return start;
  const pixels = hasSize(header) ? header.width * header.height : Math.max(maxPixels, MAX_PIXELS);
  return readImageFile(file, { maxBytes: pixels * BYTES_A_PIXEL + OTHER_BYTES });
}

function requireLimits({ width, height }: Size, maxPixels: number): void {
  const received = `received ${width}x${height}`;
  if (width * height > maxPixels) throw new Error(`expected at most ${maxPixels} pixels (maxPixels), ${received}`);
  if (Math.max(width, height) > MAX_SIDE) throw new Error(`expected sides of at most ${MAX_SIDE} pixels, ${received}`);
}

/**
 * The header of a picture's file, for checks before any picture is decoded.
 * @throws BrokenImageError naming the image.
 */
export function readImageHeader(file: string): Promise<ImageHeader> {
  return naming(file, async () => {
    const header = readHeader(await readImageFile(file, { first: HEADER_BYTES }));
    if (hasSize(header)) return header;
    return headerOf(await readImageFile(file, { maxBytes: MAX_PIXELS * BYTES_A_PIXEL + OTHER_BYTES }));
  });
}

async function headerOf(bytes: Uint8Array): Promise<ImageHeader> {
  const header = readHeader(bytes);
  if (hasSize(header)) return header;
  const { width, height, orientation = 1 } = await sharp(bytes, { limitInputPixels: false }).metadata();
  return { format: formatOf(bytes), width, height, orientation };
}

/** A JPEG may tell its height behind its pixels only. */
const hasSize = (header: ImageHeader | undefined): header is ImageHeader =>
  header !== undefined && header.width > 0 && header.height > 0;
