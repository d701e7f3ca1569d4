/** Label PNGs that show classes as colours, by a table of them. */
import { decodeImage, type Rgb } from '@pyramidal/images';
import { IGNORE, type LabelMap } from './label-map';
import type { SegmentationClass } from './classes';

/** Colours by class in the order of their labels, as people write them: `{ road: '#804080' }`; `unlabelled` is no class. */
export type NamedColours = Readonly<Record<string, string>>;

/** What each colour means: its red, green and blue as one number, and its class or 255. Plain values, for worker threads. */
export type ColourTable = readonly (readonly [colour: number, label: number])[];

const UNLABELLED = 'unlabelled';

/** The classes that a table names, in its order. */
export function classesOfColours(colours: NamedColours): SegmentationClass[] {
  const names = Object.keys(colours).filter((name) => name !== UNLABELLED);
  return names.map((name) => ({ name, colour: rgbOf(colours[name]!, name) }));
}

/** The labels that colours stand for. @throws Error if two classes have the same. */
export function colourTable(colours: NamedColours): ColourTable {
  const owners = new Map<number, string>();
  let classes = 0;
  return Object.entries(colours).map(([name, text]) => {
    const [red, green, blue] = rgbOf(text, name);
    const colour = (red << 16) | (green << 8) | blue;
    const owner = owners.get(colour);
    if (owner !== undefined) throw new Error(`data.colours: expected a colour of its own for '${name}', '${owner}' has ${text} too`); // prettier-ignore
    owners.set(colour, name);
    return [colour, name === UNLABELLED ? IGNORE : classes++] as const;
  });
}

function rgbOf(text: string, name: string): Rgb {
  if (!/^#[0-9a-f]{6}$/i.test(text)) throw new Error(`data.colours: expected a colour such as '#804080' for '${name}', received '${text}'`); // prettier-ignore
  const value = parseInt(text.slice(1), 16);
  return [value >> 16, (value >> 8) & 255, value & 255];
}

/**
 * Reads a label of any PNG form by its colours.
 * @throws Error naming the file, the place and the first colour that the table does not have.
 */
export async function readColourLabels(file: string, table: ColourTable): Promise<LabelMap> {
  const { data, width, height } = await decodeImage(file);
  const labels = new Map(table);
  const map = new Uint8Array(width * height);
  let [last, label] = [-1, 0];
  for (let i = 0, from = 0; i < map.length; i++, from += 3) {
    const colour = (data[from]! << 16) | (data[from + 1]! << 8) | data[from + 2]!;
    if (colour !== last) {
      const found = labels.get(colour);
      if (found === undefined) throw unknownColour(file, colour, i % width, Math.floor(i / width));
      [last, label] = [colour, found];
    }
    map[i] = label;
  }
  return { data: map, width, height };
}

function unknownColour(file: string, colour: number, x: number, y: number): Error {
  const text = `#${colour.toString(16).padStart(6, '0')}`;
  const advice = "; give it to a class, or to 'unlabelled'";
  return new Error(`${file}: expected colours of data.colours, received ${text} at (${x}, ${y})${advice}`);
}
