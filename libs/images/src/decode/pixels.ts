/** The pixels of a picture's bytes, whole, made smaller, or some of the rows. */
import { availableParallelism } from 'node:os';
import sharp from 'sharp';
import type { Rows } from '../resize/target';
import type { RgbImage, Size } from '../rgb-image';
import { naming, reasonOf } from './broken-image';
import type { ImageHeader } from './header';
import { decodeFaultless } from './jpeg-decoder';
import { storedRows, TURNS } from './turned-rows';

/** Which pixels are meant: as EXIF's tag turns them for people and for OpenCV, or as they are stored, which Pillow reads. */
export type Orientation = 'exif' | 'stored';

export interface DecodeOptions {
  /** Default 'stored'. */
  readonly orientation?: Orientation;
  /** Larger pictures are refused before they are decoded; default 50 million. */
  readonly maxPixels?: number | undefined;
}

/**
 * Pixels of a picture that is decoded as a whole, and of the parts of a larger one where parts will do. Decoders begin at the top for
 * each part: four of them take two and a half times the work of one, and few pictures are so large.
 */
export const MOST_WHOLE = 25_000_000;
export const PART = 12_500_000;

/** Of a picture that a decoder holds besides, fewer pixels are decoded as a whole. */
export const mostWhole = ({ header }: Opened): number => (header.heldBytes === 0 ? MOST_WHOLE : PART);

/** A picture whose header was read. */
export interface Opened {
  /** What errors call it. */
  readonly name: string;
  /** A large file stays on the disk, and the decoder reads it piece by piece. */
  readonly file: string | Uint8Array;
  readonly header: ImageHeader;
  readonly orientation: Orientation;
  /** That it was checked for. */
  readonly maxPixels: number;
}

/** The size of a picture as it is decoded. */
export function decodedSize({ header: { width, height, orientation }, orientation: meant }: Opened): Size {
  return meant === 'exif' && orientation > 4 ? { width: height, height: width } : { width, height };
}

/** All of its pixels, or a smaller picture of them. @param resized says the size. */
export async function decodePixels(picture: Opened, resized: (size: Size) => Size = (size) => size): Promise<RgbImage> {
  const whole = decodedSize(picture);
  const size = resized(whole);
  const isResized = size.width !== whole.width || size.height !== whole.height;
  const faultless = isResized ? undefined : await decodeFaultless(picture);
  if (faultless !== undefined) return faultless;
  const autoOrient = picture.orientation === 'exif';
  return decode(picture, (options) => {
    const input = sharp(picture.file, { ...options, autoOrient });
    return isResized ? input.resize({ ...size, fit: 'fill' }) : input;
  });
}

/** Some of its rows, the same as among all; no other is in memory. */
export function decodeRows(picture: Opened, rows: Rows): Promise<RgbImage> {
  const { header, orientation } = picture;
  const tag = orientation === 'exif' ? header.orientation : 1;
  const { angle = 0, flip = false, flop = false } = TURNS[tag] ?? {};
  return decode(picture, (options) => {
    const cut = sharp(picture.file, options).extract(storedRows(header, tag, rows));
    return (angle === 0 ? cut : cut.rotate(angle)).flip(flip).flop(flop);
  });
}

function decode(
  { name, header, maxPixels }: Opened,
  open: (options: sharp.SharpOptions) => sharp.Sharp,
): Promise<RgbImage> {
  sharp.cache(false); // libvips would keep the decoders of its last pictures, and some of those hold all of their picture
  const hasInks = header.channels === 4;
  const read = async (failOn: 'truncated' | 'warning'): Promise<RgbImage> => {
    const input = open({ failOn, ignoreIcc: true, limitInputPixels: maxPixels });
    const pixels = hasInks
      ? input.pipelineColourspace('cmyk').toColourspace('cmyk')
      : input.toColourspace('srgb').removeAlpha();
    const { data, info } = await pixels.raw({ depth: 'uchar' }).toBuffer({ resolveWithObject: true });
    return { data: hasInks ? inksToRgb(data) : data, width: info.width, height: info.height };
  };
  return naming(name, () => (header.format === 'JPEG' ? decodeJpeg(read) : withReason(() => read('truncated'))));
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

/**
 * Threads that decode share one place for the reason of a failure, and may take it from each other: the failure is then asked for again,
 * one after the other.
 */
async function withReason<T>(decode: () => Promise<T>): Promise<T> {
  for (let attempt = 0; ; attempt++) {
    try {
      return await (attempt === 0 ? decode() : inTurn(decode));
    } catch (error) {
      if (attempt > 2 * availableParallelism() || !/^Unknown error$/.test(reasonOf(error))) throw error;
    }
  }
}

let lastTurn: Promise<unknown> = Promise.resolve();

function inTurn<T>(job: () => Promise<T>): Promise<T> {
  const result = lastTurn.then(job);
  lastTurn = result.catch(() => undefined); // told to whoever asked
  return result;
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
