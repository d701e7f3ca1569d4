/** Masks of classes, as colours or as indices, in ADE20K's layout with a list of the classes. */
import { rmSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { readMapping } from '@pyramidal/config';
import { type ColourTable, colourTable, encodeLabels, openSegmentationFolder, readLabels } from '@pyramidal/ade20k';
import { FileError, makeFolder, readText, writeFileAtomically, writeJson } from '@pyramidal/files';
import { readImageHeader } from '@pyramidal/images';
import { LossError } from './convert';
import { filesBelow, ImageFinder } from './image-finder';
import { firstTwice } from './label-set';
import { Losses } from './losses';
import { labelName, placeImage } from './place-images';
import { putInPlace, stageBeside } from './staging';

export interface ConvertMasksOptions {
  /** Folder of the masks, PNG. */
  readonly source: string;
  /** Folder of the images, with the masks' names. */
  readonly images: string;
  readonly out: string;
  /** The classes with their colours; else masks hold indices. */
  readonly colours?: Readonly<Record<string, string>>;
  /** The classes by index from 0 on, where masks hold indices; 255 is unlabelled. */
  readonly classes?: readonly string[];
  /** Of ADE20K's layout; default 'training'. */
  readonly split?: string;
  readonly allowLoss?: boolean;
  readonly overwrite?: boolean;
}

export interface MaskConversion {
  readonly images: number;
  /** Pixels by class. */
  readonly pixels: ReadonlyMap<string, number>;
  readonly unlabelled: number;
  readonly losses: Losses;
}

/**
 * Writes `images/<split>`, `annotations/<split>` (0 unlabelled, k the k-th class) and `classes.json`.
 * @throws LossError if images or masks have no partner and this was not allowed; Error naming file and place of a colour or an index that
 * is no class.
 */
export async function convertMasks(options: ConvertMasksOptions): Promise<MaskConversion> {
  const { source, images, out, colours, split = 'training', allowLoss = false, overwrite = false } = options;
  const names = colours === undefined ? options.classes : Object.keys(colours).filter((name) => name !== 'unlabelled');
  if (names === undefined || names.length < 2)
    throw new FileError(source, 'expected at least 2 classes: name their colours, or the classes of the indices');
  const table = colours && colourTable(colours);
  const losses = new Losses();
  const pairs = pairMasks(source, new ImageFinder(images), losses);
  const counts = new Float64Array(256);
  makeFolder(dirname(resolve(out)));
  const stage = stageBeside(out);
  try {
    let written = 0;
    for (const pair of pairs) if (await writePair(pair, stage, split, names.length, table, counts, losses)) written++;
    if (!allowLoss && !losses.isComplete) throw new LossError(losses);
    writeJson(join(stage, 'classes.json'), names.map((name) => (colours ? { name, colour: partsOf(colours[name]!) } : name))); // prettier-ignore
    await requireWritten(stage, split, written);
    putInPlace(stage, out, { overwrite });
    return { images: written, pixels: new Map(names.map((name, i) => [name, counts[i]!])), unlabelled: counts[255]!, losses }; // prettier-ignore
  } finally {
    rmSync(stage, { recursive: true, force: true });
  }
}

const partsOf = (colour: string): number[] => [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16));

interface Pair {
  readonly mask: string;
  readonly image: string;
  /** Without the ending; folders are part of it, for ADE20K's layout has none. */
  readonly name: string;
  readonly ending: string;
}

/** Masks with the images of their names; what has no partner is a loss. */
function pairMasks(folder: string, finder: ImageFinder, losses: Losses): Pair[] {
  const images = new Map(finder.all.map((image) => [labelName(image, ''), image]));
  const masks = filesBelow(folder).filter((name) => name.toLowerCase().endsWith('.png'));
  if (masks.length === 0) throw new FileError(folder, 'expected PNG files, found none');
  const pairs = masks.flatMap((mask): Pair[] => {
    const name = labelName(mask, '');
    const image = images.get(name);
    images.delete(name);
    const paths = { mask: join(folder, mask), name: name.replaceAll('/', '_') };
    if (image !== undefined)
      return [{ ...paths, image: join(finder.folder!, image), ending: image.slice(name.length) }];
    losses.add('image', { file: paths.mask, record: '', field: 'image', reason: 'there is none of this name' });
    return [];
  });
  for (const image of images.values()) {
    losses.add('image', { file: join(finder.folder!, image), record: '', field: 'mask', reason: 'there is none of this name' }); // prettier-ignore
  }
  const twice = firstTwice(pairs.map(({ name }) => name));
  if (twice !== undefined) throw new FileError(folder, `expected each name once, two masks become ${twice}.png`);
  return pairs;
}

async function writePair(
  { mask, image, name, ending }: Pair,
  out: string,
  split: string,
  classes: number,
  colours: ColourTable | undefined,
  counts: Float64Array,
  losses: Losses,
): Promise<boolean> {
  const map = await readLabels(mask, { classes, reduceZeroLabel: false, colours });
  const { width, height, orientation } = await readImageHeader(image);
  const seen = orientation >= 5 ? [height, width] : [width, height];
  if (map.width !== seen[0] || map.height !== seen[1]) {
    losses.add('image', { file: mask, record: '', field: 'size', reason: 'the image has another size than its mask' });
    return false;
  }
  for (const label of map.data) counts[label]!++;
  const labels = join(out, 'annotations', split);
  makeFolder(labels);
  writeFileAtomically(join(labels, `${name}.png`), await encodeLabels(map, { classes, reduceZeroLabel: true }));
  const place = { name: `${name}${ending}`, source: image, width, height, objects: [], file: mask, record: '' };
  placeImage(place, join(out, 'images', split));
  return true;
}

async function requireWritten(out: string, split: string, expected: number): Promise<void> {
  const { splits } = await openSegmentationFolder(out, { splits: [split] });
  const received = splits.get(split)!.samples.length;
  if (received !== expected) throw new FileError(out, `expected ${expected} images in what was written, received ${received}; nothing is kept`); // prettier-ignore
}

/**
 * Reads colours by class: `labelmap.txt` as CVAT writes it (`road:128,64,128::`), or JSON or YAML of `road: '#804080'`.
 * @throws FileError naming the line or the class.
 */
export function readColours(file: string): Record<string, string> {
  if (file.endsWith('.txt')) return Object.fromEntries(readText(file).split(/\r?\n/).flatMap((line, i) => readLabelmap(line, `${file}:${i + 1}`))); // prettier-ignore
  return Object.fromEntries(
    Object.entries(readMapping(file)).map(([name, colour]) => {
      if (typeof colour === 'string' && /^#[0-9a-f]{6}$/i.test(colour)) return [name, colour];
      throw new FileError(file, `${name}: expected a colour such as '#804080', received ${JSON.stringify(colour)}`);
    }),
  );
}

function readLabelmap(line: string, where: string): [string, string][] {
  if (line.trim() === '' || line.startsWith('#')) return [];
  const [, name, ...parts] = /^(.+?):(\d{1,3}),(\d{1,3}),(\d{1,3})(:|$)/.exec(line) ?? [];
  if (name === undefined)
    throw new FileError(where, `expected name:red,green,blue::, received ${JSON.stringify(line)}`);
  return [[name, `#${parts.slice(0, 3).map((part) => Number(part).toString(16).padStart(2, '0')).join('')}`]]; // prettier-ignore
}
