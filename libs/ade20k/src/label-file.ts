/** Label PNGs as maps of classes, and back. */
import { decodeImage, readImageFile } from '@pyramidal/images';
import sharp from 'sharp';
import { type ColourTable, readColourLabels } from './colour-table';
import { IGNORE, type LabelMap } from './label-map';
import { asGreyPng } from './label-png';

/** What the stored values of a dataset's labels mean. */
export interface LabelCoding {
  /** K, at most 255. */
  readonly classes: number;
  /** 0 is unlabelled and k is class k - 1, as in ADE20K; otherwise k is class k. 255 is unlabelled either way. */
  readonly reduceZeroLabel: boolean;
  /** Labels are colours of this table, and no values are read. */
  readonly colours?: ColourTable | undefined;
}

export interface StoredLabels extends LabelMap {
  /** Whether the values are indices of a palette. */
  readonly isPalette: boolean;
}

/**
 * Reads a label PNG as it is stored: 8-bit grey values, or the indices of a palette.
 * @throws Error naming the file, for any other format; BrokenImageError if it is damaged or missing.
 */
export async function readStoredLabels(file: string): Promise<StoredLabels> {
  const stored = await readImageFile(file);
  const { bytes, scale, isPalette } = named(file, () => asGreyPng(stored));
  const { data, width, height } = await decodeImage(bytes, {}, file);
  // Grey comes three times.
  return {
    data: Uint8Array.from({ length: width * height }, (_, i) => data[3 * i]! / scale),
    width,
    height,
    isPalette,
  };
}

function named<T>(file: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw new Error(`${file}: ${(error as Error).message}`, { cause: error });
  }
}

/** Reads a label PNG as classes; what is unlabelled becomes 255. */
export async function readLabels(file: string, coding: LabelCoding): Promise<LabelMap> {
  if (coding.colours !== undefined) return readColourLabels(file, coding.colours);
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
    const value = stored.data[wrong]!;
    const advice = shift === 0 && value === classes ? '; if 0 is unlabelled, set data.reduceZeroLabel: true' : '';
    const place = `(${wrong % stored.width}, ${Math.floor(wrong / stored.width)})`;
    throw new Error(
      `${name}: expected label values from 0 to ${classes - 1 + shift} or 255 for ${classes} classes, ` +
        `received ${value} at ${place}${advice}`,
    );
  }
  return { data, width: stored.width, height: stored.height };
}

/** Classes as a label PNG stores them. @param options whether the map's own memory may be used, and its values be lost. */
export async function encodeLabels(
  { data, width, height }: LabelMap,
  { reduceZeroLabel }: LabelCoding,
  { overwrite = false } = {},
): Promise<Buffer> {
  const stored = reduceZeroLabel ? shifted(data, overwrite ? data : new Uint8Array(data.length)) : data;
  const raw = { width, height, channels: 1 } as const;
  return sharp(stored, { raw }).toColourspace('b-w').png().toBuffer();
}

/** Class k as k + 1, and 0 for what is unlabelled. */
function shifted(labels: Uint8Array, out: Uint8Array): Uint8Array {
  for (let i = 0; i < labels.length; i++) out[i] = labels[i] === IGNORE ? 0 : labels[i]! + 1;
  return out;
}
