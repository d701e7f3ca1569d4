/** What the first bytes of a picture say: format, size and orientation, without decoding it. */
import type { Size } from '../rgb-image';

/** Formats that are decoded; told by the bytes, whatever the file's name. */
export type ImageFormat = 'JPEG' | 'PNG' | 'WebP' | 'GIF' | 'TIFF';

export interface ImageHeader extends Size {
  readonly format: ImageFormat;
  /** EXIF's tag: 1 as stored, 2 to 8 mirrored or turned; from 5 on width and height change places. */
  readonly orientation: number;
  /** Bytes of every pixel that the decoder holds at once; 0 where it goes on row by row. */
  readonly heldBytes: number;
  /** Colour channels of a JPEG: 4 are inks. */
  readonly channels?: number;
}

/** What the decoders of formats hold that do not go on row by row: four channels, and of some a copy in a form of their own. */
const FRAME_BYTES = 4;
export const MOST_HELD = 2 * FRAME_BYTES;

/** What files that are not decoded begin with. */
const REFUSED: readonly (readonly [start: RegExp, name: string])[] = [
  [/^%PDF/, 'PDF'],
  [/^BM/, 'BMP'],
  [/^....ftyp(avif|avis)/s, 'AVIF'],
  [/^....ftyp/s, 'HEIF or a video'],
  [/^P[1-7]\s/, 'PNM'],
  [/^PK/, 'ZIP'],
  [/^(\xef\xbb\xbf)?\s*(<\?xml[^>]*>\s*)?(<!DOCTYPE svg|<svg)/i, 'SVG'],
  [/^(\xef\xbb\xbf)?\s*<(!DOCTYPE html|html|head|body)/i, 'an HTML page'],
  [/^(\xef\xbb\xbf)?\s*<\?xml/i, 'XML'],
  [/^version https:\/\/git-lfs/, 'a Git LFS pointer'],
];

/** The format by the first bytes. @throws Error that says what they look like instead. */
export function formatOf(bytes: Uint8Array): ImageFormat {
  const start = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, 256)).toString('latin1');
  if (start.startsWith('\xff\xd8\xff')) return 'JPEG';
  if (start.startsWith('\x89PNG\r\n\x1a\n')) return 'PNG';
  if (start.startsWith('RIFF') && start.startsWith('WEBP', 8)) return 'WebP';
  if (start.startsWith('GIF87a') || start.startsWith('GIF89a')) return 'GIF';
  if (start.startsWith('II*\0') || start.startsWith('MM\0*')) return 'TIFF';
  if (start === '') throw new Error('the file is empty');
  const received = REFUSED.find(([pattern]) => pattern.test(start))?.[1] ?? 'another format';
  throw new Error(`expected JPEG, PNG, WebP, GIF or TIFF, received ${received}`);
}

/**
 * Reads a picture's header.
 * @param bytes the file, or its beginning.
 * @returns nothing if the header does not lie within the bytes, or is TIFF's, whose place is anywhere.
 * @throws Error for any other format.
 */
export function readHeader(bytes: Uint8Array): ImageHeader | undefined {
  const format = formatOf(bytes);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  try {
    const found = READERS[format]?.(view);
    return found && { format, ...found };
  } catch (error) {
    if ((error as Error).name === 'RangeError') return undefined; // past the last byte
    throw error;
  }
}

type Found = Omit<ImageHeader, 'format'>;

const READERS: { readonly [Format in ImageFormat]?: (view: DataView) => Found | undefined } = {
  JPEG: readJpeg,
  PNG: readPng,
  WebP: readWebp,
  GIF: (view) => ({
    width: view.getUint16(6, true),
    height: view.getUint16(8, true),
    orientation: 1,
    heldBytes: FRAME_BYTES,
  }),
};

/** Walks the segments up to the frame header (SOF), past EXIF's (APP1). */
function readJpeg(view: DataView): Found | undefined {
  let orientation = 1;
  for (let at = 2; ;) {
    if (view.getUint8(at) !== 0xff) return undefined;
    const marker = view.getUint8(at + 1);
    if (marker === 0xff) {
      at += 1; // fill byte
      continue;
    }
    if (marker === 0xe1 && textAt(view, at + 4, 6) === 'Exif\0\0') orientation = readOrientation(view, at + 10);
    if (marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker)) {
      const [height, width] = [view.getUint16(at + 5), view.getUint16(at + 7)];
      const channels = view.getUint8(at + 9);
      const isHeld = PROGRESSIVE.includes(marker) || hasManyScans(view, at, channels);
      const heldBytes = isHeld ? COEFFICIENT_BYTES * coefficientsOf(view, at, channels) : 0;
      return { width, height, orientation, channels, heldBytes };
    }
    at += 2 + Math.max(2, view.getUint16(at + 2));
  }
}

/** Frame headers of JPEGs whose scans refine each other. */
const PROGRESSIVE = [0xc2, 0xc6, 0xca, 0xce];
const COEFFICIENT_BYTES = 2;

/** Coefficients for a pixel: one of each channel that is not sampled more coarsely than others. @param at of the frame header. */
function coefficientsOf(view: DataView, at: number, channels: number): number {
  const factors = Array.from({ length: channels }, (_, channel) => view.getUint8(at + 11 + 3 * channel));
  const across = factors.map((both) => Math.max(1, both >> 4));
  const down = factors.map((both) => Math.max(1, both & 15));
  const area = Math.max(...across) * Math.max(...down);
  return across.reduce((sum, factor, channel) => sum + (factor * down[channel]!) / area, 0);
}

/** Whether the first scan (SOS) has some of the channels only: the decoder keeps it until all are there. @param at of the frame header. */
function hasManyScans(view: DataView, at: number, channels: number): boolean {
  for (let next = at; next + 4 < view.byteLength; next += 2 + Math.max(2, view.getUint16(next + 2))) {
    if (view.getUint8(next + 1) === 0xda) return view.getUint8(next + 4) < channels;
  }
  return true; // not known, since it lies behind these bytes
}

/** By colour type; palettes are resolved. */
const PNG_CHANNELS: Readonly<Record<number, number>> = { 0: 1, 2: 3, 3: 4, 4: 2, 6: 4 };

function readPng(view: DataView): Found {
  const [width, height] = [view.getUint32(16), view.getUint32(20)];
  const [depth, colour, interlacing] = [view.getUint8(24), view.getUint8(25), view.getUint8(28)];
  const sampleBytes = depth > 8 ? 2 : 1;
  const size = { width, height, heldBytes: interlacing === 0 ? 0 : (PNG_CHANNELS[colour] ?? 4) * sampleBytes };
  for (let at = 8; at + 8 <= view.byteLength; at += 12 + view.getUint32(at)) {
    const type = textAt(view, at + 4, 4);
    if (type === 'IDAT') break;
    if (type === 'eXIf') return { ...size, orientation: readOrientation(view, at + 8) };
  }
  return { ...size, orientation: 1 };
}

function readWebp(view: DataView): Found | undefined {
  const kind = textAt(view, 12, 4);
  const still = { orientation: 1, heldBytes: MOST_HELD };
  if (kind === 'VP8 ') {
    return { ...still, width: view.getUint16(26, true) & 0x3fff, height: view.getUint16(28, true) & 0x3fff };
  }
  if (kind === 'VP8L') {
    const bits = view.getUint32(21, true);
    return { ...still, width: (bits & 0x3fff) + 1, height: ((bits >>> 14) & 0x3fff) + 1 };
  }
  if (kind !== 'VP8X') return undefined;
  const side = (at: number): number => (view.getUint16(at, true) | (view.getUint8(at + 2) << 16)) + 1;
  return { ...still, width: side(24), height: side(27), orientation: webpOrientation(view) };
}

/** EXIF's chunk follows the picture's, and may lie behind the bytes that are there. @throws RangeError then */
function webpOrientation(view: DataView): number {
  const HAS_EXIF = 8;
  if ((view.getUint8(20) & HAS_EXIF) === 0) return 1;
  for (let at = 12; ;) {
    const size = view.getUint32(at + 4, true);
    if (textAt(view, at, 4) === 'EXIF') {
      const marked = textAt(view, at + 8, 6) === 'Exif\0\0';
      return readOrientation(view, at + (marked ? 14 : 8));
    }
    at += 8 + size + (size % 2);
  }
}

/** Tag 0x0112 of the first directory of EXIF's TIFF structure; 1 where it is damaged. */
function readOrientation(view: DataView, start: number): number {
  const little = textAt(view, start, 2) === 'II';
  const directory = start + view.getUint32(start + 4, little);
  const count = view.getUint16(directory, little);
  for (let i = 0; i < count; i++) {
    const entry = directory + 2 + 12 * i;
    if (view.getUint16(entry, little) !== 0x0112) continue;
    const value = view.getUint16(entry + 8, little);
    return value >= 1 && value <= 8 ? value : 1;
  }
  return 1;
}

function textAt(view: DataView, at: number, length: number): string {
  return String.fromCharCode(...Array.from({ length }, (_, i) => view.getUint8(at + i)));
}
