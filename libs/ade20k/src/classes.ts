/** Class lists of segmentation data sets: ADE20K's own, or those of a file. */
import { readText } from '@pyramidal/files';
import type { Rgb } from '@pyramidal/images';
import { ADE20K_NAMES } from './ade20k-names';

/** A class: what people call it, and its colour in pictures. */
export interface SegmentationClass {
  readonly name: string;
  readonly colour: Rgb;
}

/** The 150 classes of ADE20K's scene parsing benchmark, in label order. */
export const ade20kClasses = (): SegmentationClass[] => ADE20K_NAMES.map((name, i) => ({ name, colour: colourOf(i) }));

/** At most 255 classes. */
const MAX_BYTES = 1 << 20;

/**
 * Reads a list of classes in label order: text with a name on each line, or a JSON array of names or of
 * `{ "name": "wall", "colour": [120, 120, 120] }`; colours that are missing come from the palette of PASCAL VOC.
 * @throws Error naming the file and the entry.
 */
export async function readClasses(file: string): Promise<SegmentationClass[]> {
  const text = readText(file, { maxBytes: MAX_BYTES });
  const entries = /^\s*[[{]/.test(text) ? parse(file, text) : linesOf(text);
  if (!Array.isArray(entries) || entries.length < 2 || entries.length > 255) {
    const received = Array.isArray(entries) ? entries.length : 'none';
    throw new Error(`${file}: expected a list of 2 to 255 classes, received ${received}`);
  }
  return entries.map((entry: unknown, i) => {
    const { name, colour = colourOf(i) } = (typeof entry === 'string' ? { name: entry } : (entry ?? {})) as {
      name?: unknown;
      colour?: unknown;
    };
    if (typeof name !== 'string' || !isColour(colour)) {
      throw new Error(`${file}: expected a name, or name and colour, received ${JSON.stringify(entry)} as entry ${i}`);
    }
    return { name, colour };
  });
}

function linesOf(text: string): string[] {
  const lines = text.split('\n').map((line) => line.trim());
  return lines.filter((line) => line !== '');
}

function parse(file: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new Error(`${file}: is not JSON: ${(error as Error).message}`, { cause: error });
  }
}

function isColour(value: unknown): value is Rgb {
  return (
    Array.isArray(value) &&
    value.length === 3 &&
    value.every((part) => Number.isInteger(part) && part >= 0 && part < 256)
  );
}

/** PASCAL VOC's colours: the bits of the label, dealt out to red, green and blue from the highest bit on. Black is left out. */
function colourOf(index: number): Rgb {
  const colour: [number, number, number] = [0, 0, 0];
  for (let bits = index + 1, place = 7; bits > 0; bits >>= 3, place--) {
    for (let channel = 0; channel < 3; channel++) colour[channel]! |= ((bits >> channel) & 1) << place;
  }
  return colour;
}
