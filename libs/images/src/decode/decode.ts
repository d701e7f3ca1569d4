import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import sharp from 'sharp';
import type { RgbImage } from '../rgb-image';

export interface DecodeOptions {
  /** Turns the picture as its EXIF tag says. Off by default: the reference readers train on the stored pixels. */
  readonly orient?: boolean;
}

/** A picture that could not be read; `image` says which. */
export class BrokenImageError extends Error {
  constructor(
    readonly image: string,
    readonly reason: string,
  ) {
    super(`${image}: cannot be decoded: ${reason}`);
    this.name = 'BrokenImageError';
  }
}

/**
 * Decodes JPEG, PNG or WebP (or what else libvips reads) to 8-bit RGB. Grey is repeated, alpha dropped, 16-bit cut to its high
 * byte, CMYK mixed as Pillow mixes it; colour profiles are ignored. JPEG, PNG and WebP pixels equal Pillow's and OpenCV's.
 * @param source a file's path, or the file's bytes (then `name` is what errors call it).
 * @throws BrokenImageError naming the image, also when it is truncated.
 */
export async function decodeImage(
  source: string | Uint8Array,
  { orient = false }: DecodeOptions = {},
  name = typeof source === 'string' ? source : 'image',
): Promise<RgbImage> {
  try {
    const bytes = typeof source === 'string' ? await readFile(source) : source;
    const inks = isInkJpeg(bytes);
    const input = sharp(bytes, { ignoreIcc: true, failOn: 'truncated', autoOrient: orient });
    const pixels = inks
      ? input.pipelineColourspace('cmyk').toColourspace('cmyk')
      : input.toColourspace('srgb').removeAlpha();
    const { data, info } = await pixels.raw({ depth: 'uchar' }).toBuffer({ resolveWithObject: true });
    return { data: inks ? inksToRgb(data) : data, width: info.width, height: info.height };
  } catch (error) {
    throw new BrokenImageError(name, reasonOf(error, name));
  }
}

/** Whether a JPEG's frame header announces four components (CMYK or YCCK). */
function isInkJpeg(bytes: Uint8Array): boolean {
  if (bytes[0] !== 0xff || bytes[1] !== 0xd8) return false;
  let at = 2;
  while (at + 9 < bytes.length) {
    if (bytes[at] !== 0xff) return false;
    const marker = bytes[at + 1]!;
    if (marker === 0xff) {
      at += 1; // fill byte
      continue;
    }
    const isFrame = marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker);
    if (isFrame) return bytes[at + 9] === 4;
    at += 2 + bytes[at + 2]! * 256 + bytes[at + 3]!;
  }
  return false;
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

function reasonOf(error: unknown, name: string): string {
  const { message, code } = error as NodeJS.ErrnoException;
  if (code === 'ENOENT') return 'no such file';
  if (code === 'EACCES') return 'no permission to read it';
  if (code === 'EISDIR') return 'it is a folder';
  const firstLine = message.split('\n')[0]!;
  return firstLine.replace(name, basename(name));
}
