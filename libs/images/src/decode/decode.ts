/** Files and bytes as 8-bit RGB, with the pixels that Pillow and OpenCV read. */
import sharp from 'sharp';
import type { RgbImage, Size } from '../rgb-image';
import { collectGarbage } from './collect-garbage';
import { drawnSize } from './drawn-size';
import { BrokenImageError, naming } from './broken-image';
import { formatOf, type ImageHeader, MOST_HELD, readHeader } from './header';
import { MemoryBudget, pictureBytes } from './memory-budget';
import { type DecodeOptions, decodedSize, decodePixels, MOST_WHOLE, type Opened } from './pixels';
import { imageFileSize, readImageFile } from './read-file';

/** Pixels that a picture may have, the sides of 48-megapixel cameras included. */
const MAX_PIXELS = 50_000_000;

/** Longest side, as JPEG's: decoders hold whole rows, and some hundreds of them. */
const MAX_SIDE = 65_535;

/** Pixels of a picture that is worth a look of the garbage collector, which takes some milliseconds. */
const LARGE = 10_000_000;

/** No picture that is decoded has more bytes in its file for each pixel, of whatever it holds besides more than these. */
const BYTES_A_PIXEL = 8;
const OTHER_BYTES = 32 << 20;

/** What the files of the largest pictures may have, which are in memory beside what is decoded: 8-bit pixels always have room. */
const FILE_BYTES_A_PIXEL = 5;

/** What decoders that hold all of a picture may hold, for each pixel that a picture may have. */
const HELD_A_PIXEL = 3;

/** Bytes that hold the header of nearly every file. */
const HEADER_BYTES = 128 * 1024;

/** Bytes of a file that is read into memory before it is decoded. */
const MOST_READ = 16 << 20;

/** Pictures in work share it, so that many large ones at the same time need no more memory than one. */
const budget = new MemoryBudget();

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
  return withOpened(source, { options, name }, async (picture) => use(await decodePixels(picture)));
}

/** @throws BrokenImageError if a picture's pixels are not as many as it says. */
export function requirePixels(image: RgbImage, name = 'image'): RgbImage {
  const { data, width, height } = image;
  const isWhole = Number.isInteger(width) && Number.isInteger(height) && width > 0 && height > 0;
  if (isWhole && data?.length === 3 * width * height) return image;
  const reason = `expected 3 bytes for each of ${width}x${height} pixels, received ${data?.length ?? 'none'}`;
  throw new BrokenImageError(name, reason);
}

/** Opens a picture's file and lends it when there is room for its pixels, which count until they were used and are gone from memory. */
export async function withOpened<T>(
  source: ImageFile,
  { options, name }: { readonly options: DecodeOptions; readonly name?: string | undefined },
  use: (picture: Opened) => Promise<T>,
): Promise<T> {
  const { orientation = 'stored', maxPixels = MAX_PIXELS } = options;
  const own = name ?? (typeof source === 'string' ? source : 'image');
  const { header, read } = await naming(own, async () => {
    const found = await look(source, maxPixels);
    requireLimits(found.header, maxPixels);
    return found;
  });
  const leave = await budget.enter(pictureBytes(header));
  const pixels = header.width * header.height;
  try {
    if (pixels > MOST_WHOLE) await collectGarbage();
    return await use({ name: own, file: await naming(own, read), header, orientation, maxPixels });
  } finally {
    if (pixels >= LARGE) await collectGarbage();
    leave();
  }
}

/** The header of a picture, and what reads the rest: a file waits on the disk until there is room for its pixels. */
async function look(
  source: ImageFile,
  maxPixels = MAX_PIXELS,
): Promise<{ readonly header: ImageHeader; readonly read: () => Promise<ImageFile> }> {
  const largest = Math.max(maxPixels, MAX_PIXELS);
  const whole = (pixels: number): Promise<ImageFile> => readWhole(source, pixels, largest);
  const start = typeof source === 'string' ? await readImageFile(source, { first: HEADER_BYTES }) : source;
  const header = readHeader(start);
  if (!hasSize(header)) {
    const file = await whole(largest);
    return { header: await headerOf(file, start), read: async () => file };
  }
  if (start.length < HEADER_BYTES) return { header, read: async () => start };
  return { header, read: () => whole(header.width * header.height) };
}

/** A file is not read that holds more than so many pixels could need, or far more than the largest pictures do. */
async function readWhole(source: ImageFile, pixels: number, largest: number): Promise<ImageFile> {
  if (typeof source !== 'string') return source;
  const maxBytes = Math.min(pixels * BYTES_A_PIXEL + OTHER_BYTES, largest * FILE_BYTES_A_PIXEL);
  const isLarge = imageFileSize(source, maxBytes) > MOST_READ;
  const isPlain = !source.endsWith(']'); // libvips takes x[y] for a file's name and options
  return isLarge && isPlain ? source : readImageFile(source, { maxBytes });
}

function requireLimits({ format, width, height, heldBytes }: ImageHeader, maxPixels: number): void {
  const received = `received ${width}x${height}`;
  if (width * height > maxPixels) throw new Error(`expected at most ${maxPixels} pixels (maxPixels), ${received}`);
  const mostHeld = Math.max(maxPixels, MAX_PIXELS) * HELD_A_PIXEL;
  if (width * height * heldBytes > mostHeld) {
    const most = Math.floor(mostHeld / heldBytes);
    const enough = Math.ceil((width * height * heldBytes) / HELD_A_PIXEL);
    const advice = `maxPixels: ${enough} would allow it`;
    throw new Error(
      `expected at most ${most} pixels of a ${format} that is decoded as a whole, ${received}; ${advice}`,
    );
  }
  if (Math.max(width, height) > MAX_SIDE) throw new Error(`expected sides of at most ${MAX_SIDE} pixels, ${received}`);
}

/**
 * The header of a picture's file, for checks before any picture is decoded.
 * @param maxPixels refuses what decoding with this limit refuses; unless told, nothing is refused for its size.
 * @throws BrokenImageError naming the image.
 */
export function readImageHeader(
  file: string,
  { maxPixels }: Pick<DecodeOptions, 'maxPixels'> = {},
): Promise<ImageHeader> {
  return naming(file, async () => {
    const { header } = await look(file, maxPixels);
    if (maxPixels !== undefined) requireLimits(header, maxPixels);
    return header;
  });
}

/** @param start first bytes of the file. */
async function headerOf(file: ImageFile, start: Uint8Array): Promise<ImageHeader> {
  const header = typeof file === 'string' ? undefined : readHeader(file);
  if (hasSize(header)) return header;
  const {
    width,
    height,
    orientation = 1,
    isProgressive = false,
  } = await sharp(file, {
    limitInputPixels: false,
  }).metadata();
  return { format: formatOf(start), width, height, orientation, heldBytes: isProgressive ? MOST_HELD : 0 };
}

/** A JPEG may tell its height behind its pixels only. */
const hasSize = (header: ImageHeader | undefined): header is ImageHeader =>
  header !== undefined && header.width > 0 && header.height > 0;
