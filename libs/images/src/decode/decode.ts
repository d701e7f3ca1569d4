/** Files and bytes as 8-bit RGB, with the pixels that Pillow and OpenCV read. */
import { availableParallelism } from 'node:os';
import { explainFileError, FileError } from '@pyramidal/files';
import sharp from 'sharp';
import type { RgbImage, Size } from '../rgb-image';
import { collectGarbage } from './collect-garbage';
import { drawnSize } from './drawn-size';
import { formatOf, type ImageHeader, readHeader } from './header';
import { PixelBudget } from './pixel-budget';
import { readImageFile } from './read-file';

/** Pixels that a picture may have, the sides of 48-megapixel cameras included. */
const MAX_PIXELS = 50_000_000;

/** Longest side, as JPEG's: decoders hold whole rows, and some hundreds of them. */
const MAX_SIDE = 65_535;

/** Pixels of a picture that is worth a look of the garbage collector, which takes some milliseconds. */
const LARGE = 10_000_000;

/** No picture that is decoded has more bytes in its file for each pixel, of whatever it holds besides more than these. */
const BYTES_A_PIXEL = 8;
const OTHER_BYTES = 32 << 20;

/** Bytes that hold the header of nearly every file. */
const HEADER_BYTES = 128 * 1024;

/** Which pixels are meant: as EXIF's tag turns them for people and for OpenCV, or as they are stored, which Pillow reads. */
export type Orientation = 'exif' | 'stored';

export interface DecodeOptions {
  /** Default 'stored'. */
  readonly orientation?: Orientation;
  /** Larger pictures are refused before they are decoded; default 50 million. */
  readonly maxPixels?: number;
}

/** A picture that could not be read or does not fit its labels; `image` says which. */
export class BrokenImageError extends Error {
  constructor(
    readonly image: string,
    readonly reason: string,
  ) {
    super(`${image}: ${reason}`);
    this.name = 'BrokenImageError';
  }
}

/** Pictures in work share it, so that many large ones at the same time need no more memory than one. */
const budget = new PixelBudget(MAX_PIXELS);

/**
 * Decodes JPEG, PNG, WebP, the first frame of GIF, or the first page of TIFF to 8-bit RGB. Grey is repeated, alpha dropped, 16-bit cut to its
 * high byte, CMYK mixed as Pillow mixes it; colour profiles are ignored. JPEG, PNG and WebP pixels equal Pillow's and OpenCV's.
 * @param source a file's path, or the file's bytes (then `name` is what errors call it).
 * @throws BrokenImageError naming the image: another format, too many pixels, a device, a truncated or damaged file.
 */
export function decodeImage(source: ImageFile, options: DecodeOptions = {}, name?: string): Promise<RgbImage> {
  return decodeWith({ source, options, name, resized: asItIs }, ({ image }) => image);
}

/**
 * A picture to draw on: as `decodeImage` gives it, or, where it has more than 12.5 million pixels or a side of more than
 * 16384, smaller in the same shape, so that drawing needs bounded memory.
 * @throws BrokenImageError as `decodeImage` does.
 */
export function decodePicture(source: ImageFile, options: DecodeOptions = {}): Promise<RgbImage> {
  return decodeWith({ source, options, resized: drawnSize }, ({ image }) => image);
}

/**
 * Whether an image can be decoded to its end; very large ones need no memory for all of their pixels.
 * @returns its size as it is decoded.
 * @throws BrokenImageError as `decodeImage` does.
 */
export function checkImage(source: ImageFile, options: DecodeOptions = {}): Promise<Size> {
  return decodeWith({ source, options, resized: drawnSize }, ({ size }) => size);
}

/** The path of a picture's file, or its bytes. */
type ImageFile = string | Uint8Array;

/** A picture: the path of its file, its file's bytes, or its pixels. */
export type ImageSource = ImageFile | RgbImage;

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
  if (typeof source === 'string' || source instanceof Uint8Array) {
    let pixels = 0;
    const result = await decodeWith({ source, options, name, resized: asItIs }, ({ image }) => {
      pixels = image.width * image.height;
      return use(image);
    });
    if (pixels >= LARGE) await collectGarbage();
    return result;
  }
  const { data, width, height } = source;
  const isWhole = Number.isInteger(width) && Number.isInteger(height) && width > 0 && height > 0;
  if (isWhole && data?.length === 3 * width * height) return use(source);
  const reason = `expected 3 bytes for each of ${width}x${height} pixels, received ${data?.length ?? 'none'}`;
  throw new BrokenImageError(name ?? 'image', reason);
}

/** What is decoded, and at which size. */
interface Decoding {
  readonly source: ImageFile;
  readonly options: DecodeOptions;
  readonly name?: string | undefined;
  readonly resized: (size: Size) => Size;
}

interface Decoded {
  readonly image: RgbImage;
  /** Before it was made smaller. */
  readonly size: Size;
}

const asItIs = (size: Size): Size => size;

/** Pixels count until they were used. */
async function decodeWith<T>(
  { source, options, resized, name = typeof source === 'string' ? source : 'image' }: Decoding,
  use: (decoded: Decoded) => T,
): Promise<T> {
  const { orientation = 'stored', maxPixels = MAX_PIXELS } = options;
  const { bytes, header } = await naming(name, () => openFile(source, maxPixels));
  return budget.use(header.width * header.height, async () =>
    use(await naming(name, () => decodePixels(bytes, header, { orientation, maxPixels }, resized))),
  );
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

async function naming<T>(name: string, decode: () => Promise<T>): Promise<T> {
  try {
    return await decode();
  } catch (error) {
    throw new BrokenImageError(name, `cannot be decoded: ${reasonOf(error)}`);
  }
}

/**
 * The header of a picture's file, for checks before any picture is decoded.
 * @throws BrokenImageError naming the image.
 */
export async function readImageHeader(file: string): Promise<ImageHeader> {
  try {
    const header = readHeader(await readImageFile(file, { first: HEADER_BYTES }));
    if (hasSize(header)) return header;
    return await headerOf(await readImageFile(file, { maxBytes: MAX_PIXELS * BYTES_A_PIXEL + OTHER_BYTES }));
  } catch (error) {
    throw new BrokenImageError(file, `cannot be decoded: ${reasonOf(error)}`);
  }
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

async function decodePixels(
  bytes: Uint8Array,
  header: ImageHeader,
  { orientation, maxPixels }: Required<DecodeOptions>,
  resized: (size: Size) => Size,
): Promise<Decoded> {
  const hasInks = header.channels === 4;
  const isTurned = orientation === 'exif' && header.orientation > 4;
  const [width, height] = isTurned ? [header.height, header.width] : [header.width, header.height];
  const size = resized({ width, height });
  const isResized = size.width !== width || size.height !== height;
  const decode = async (failOn: 'truncated' | 'warning'): Promise<RgbImage> => {
    const limits = { failOn, limitInputPixels: maxPixels };
    const decoded = sharp(bytes, { ignoreIcc: true, autoOrient: orientation === 'exif', ...limits });
    const input = isResized ? decoded.resize({ ...size, fit: 'fill' }) : decoded;
    const pixels = hasInks
      ? input.pipelineColourspace('cmyk').toColourspace('cmyk')
      : input.toColourspace('srgb').removeAlpha();
    const { data, info } = await pixels.raw({ depth: 'uchar' }).toBuffer({ resolveWithObject: true });
    return { data: hasInks ? inksToRgb(data) : data, width: info.width, height: info.height };
  };
  const image = await (header.format === 'JPEG' ? decodeJpeg(decode) : withReason(() => decode('truncated')));
  return { image, size: isResized ? { width, height } : { width: image.width, height: image.height } };
}

/** The decoder only warns of a JPEG that was cut and ends with an end marker; what else it warns of is harmless, as surplus bytes are. */
async function decodeJpeg(decode: (failOn: 'truncated' | 'warning') => Promise<RgbImage>): Promise<RgbImage> {
  try {
    return await withReason(() => decode('warning'));
  } catch (error) {
    if (/premature end/.test(reasonOf(error))) throw error;
    return withReason(() => decode('truncated'));
  }
}

/** Threads that decode share one place for the reason of a failure, and may take it from each other: the failure is then asked for again. */
async function withReason<T>(decode: () => Promise<T>): Promise<T> {
  for (let attempt = 0; ; attempt++) {
    try {
      return await decode();
    } catch (error) {
      if (attempt > 2 * availableParallelism() || !/^Unknown error$/.test(reasonOf(error))) throw error;
    }
  }
}

/** Pillow's CMYK to RGB: each colour is the light that ink and black let through, in rounded 8-bit products. */
function inksToRgb(inks: Uint8Array): Uint8Array {
  const data = new Uint8Array((inks.length / 4) * 3);
  for (let from = 0, to = 0; from < inks.length; from += 4, to += 3) {
    const light = 255 - inks[from + 3]!;
    for (let channel = 0; channel < 3; channel++) {
      const product = inks[from + channel]! * light + 128;
      data[to + channel] = light - (((product >> 8) + product) >> 8);
    }
  }
  return data;
}

/** In one line, and without the file's name, which stands before it. */
function reasonOf(error: unknown): string {
  if (!(error instanceof FileError)) return explainFileError(error);
  const { path, cause, message } = error;
  return cause === undefined ? message.slice(path.length + 2) : explainFileError(cause);
}
