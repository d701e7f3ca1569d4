import { readFile } from 'node:fs/promises';
import { BrokenImageError, decodeImage } from '@pyramidal/images';
import sharp from 'sharp';
import { IGNORE, type LabelMap } from './label-map';

/** What the stored values of a dataset's labels mean. */
export interface LabelCoding {
  /** K, at most 255. */
  readonly classes: number;
  /** 0 is unlabelled and k is class k - 1, as in ADE20K; otherwise k is class k. 255 is unlabelled either way. */
  readonly reduceZeroLabel: boolean;
}

/** PNG's colour types. */
const COLOUR_TYPES: Readonly<Record<number, string>> = {
  0: 'grey',
  2: 'colour',
  3: 'palette',
  4: 'grey with alpha',
  6: 'colour with alpha',
};

/**
 * Reads a label PNG (8-bit grey) as it is stored.
 * @throws Error naming the file, for any other format; BrokenImageError if it is damaged or missing.
 */
export async function readStoredLabels(file: string): Promise<LabelMap> {
  const bytes = await readFile(file).catch((error: NodeJS.ErrnoException) => {
    throw new BrokenImageError(file, error.code === 'ENOENT' ? 'no such file' : error.message);
  });
  requireGreyPng(file, bytes);
  const { data, width, height } = await decodeImage(bytes, {}, file);
  // Grey comes three times.
  return { data: Uint8Array.from({ length: width * height }, (_, i) => data[3 * i]!), width, height };
}

/** Reads a label PNG as classes; what is unlabelled becomes 255. */
export async function readLabels(file: string, coding: LabelCoding): Promise<LabelMap> {
  return decodeLabels(await readStoredLabels(file), coding, file);
}

/**
 * Stored values as classes.
 * @throws Error naming the map and the place of a value that is no class.
 */
export function decodeLabels(stored: LabelMap, { classes, reduceZeroLabel }: LabelCoding, name: string): LabelMap {
  const shift = reduceZeroLabel ? 1 : 0;
  const table = Uint8Array.from({ length: 256 }, (_, value) => (value < shift ? IGNORE : value - shift));
  table[IGNORE] = IGNORE;
  const data = stored.data.map((value) => table[value]!);
  const wrong = data.findIndex((value) => value >= classes && value !== IGNORE);
  if (wrong >= 0) {
    const place = `(${wrong % stored.width}, ${Math.floor(wrong / stored.width)})`;
    throw new Error(
      `${name}: expected label values from 0 to ${classes - 1 + shift} or 255 for ${classes} classes, ` +
        `received ${stored.data[wrong]} at ${place}`,
    );
  }
  return { data, width: stored.width, height: stored.height };
}

/** Classes as a label PNG stores them. */
export async function encodeLabels(map: LabelMap, { reduceZeroLabel }: LabelCoding): Promise<Buffer> {
  const shift = reduceZeroLabel ? 1 : 0;
  const unlabelled = reduceZeroLabel ? 0 : IGNORE;
  const data = map.data.map((label) => (label === IGNORE ? unlabelled : label + shift));
  const raw = { width: map.width, height: map.height, channels: 1 } as const;
  return sharp(data, { raw }).toColourspace('b-w').png().toBuffer();
}

function requireGreyPng(file: string, bytes: Uint8Array): void {
  const header = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, 26));
  if (bytes.length < 26 || header.toString('latin1', 1, 4) !== 'PNG') {
    throw new Error(`${file}: expected an 8-bit grey PNG as label, received another format`);
  }
  const [depth, type] = [header[24]!, COLOUR_TYPES[header[25]!] ?? 'unknown'];
  if (depth !== 8 || type !== 'grey') {
    throw new Error(`${file}: expected an 8-bit grey PNG as label, received ${depth}-bit ${type}`);
  }
}
