/** A conversion: read, written beside its place, read again and counted, and only then put in its place. */
import { existsSync, rmSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { FileError, makeFolder } from '@pyramidal/files';
import { coco } from './coco';
import { cvat } from './cvat';
import { labelStudio } from './label-studio';
import { labelme } from './labelme';
import type {
  LabelFormat,
  LabelledImage,
  LabelledObject,
  LabelSet,
  LabelSplit,
  ReadOptions,
  WriteOptions,
} from './label-set';
import { Losses } from './losses';
import { pascalVoc } from './pascal-voc';
import { putInPlace, stageBeside } from './staging';
import { yolo } from './yolo';

/** By the names that people type. */
export const LABEL_FORMATS = {
  coco,
  yolo,
  voc: pascalVoc,
  labelme,
  cvat,
  'label-studio': labelStudio,
} as const satisfies Readonly<Record<string, LabelFormat>>;

export type LabelFormatName = keyof typeof LABEL_FORMATS;

export interface ConvertOptions extends ReadOptions, WriteOptions {
  readonly from: LabelFormatName;
  readonly to: LabelFormatName;
  /** The folder or file that is read. */
  readonly source: string;
  /** The folder that is written. */
  readonly out: string;
  /** Go on although images, objects or masks cannot be carried over. */
  readonly allowLoss?: boolean;
  /** Write over files that are there. */
  readonly overwrite?: boolean;
}

/** What a split holds. */
export interface LabelCounts {
  images: number;
  /** Images without an object. */
  empty: number;
  objects: number;
  masks: number;
  crowds: number;
}

export interface Conversion {
  readonly categories: readonly string[];
  /** Of each split, without what its reader left out. */
  readonly read: ReadonlyMap<string, LabelCounts>;
  /** Of each split, as it is read again. */
  readonly written: ReadonlyMap<string, LabelCounts>;
  readonly losses: Losses;
}

/** A conversion that would leave something out: nothing was written. */
export class LossError extends Error {
  constructor(readonly losses: Losses) {
    const [first, ...others] = losses.lines();
    super(
      `${first}${others.length > 0 ? `, and ${others.length} more reasons` : ''}; --allow-loss goes on without them`,
    );
    this.name = 'LossError';
  }
}

/**
 * Converts labels from one format to another; images get second names beside them, and are copied only where the file system has none.
 * @throws LossError if images, objects or masks cannot be carried over and this was not allowed; FileError for what cannot be read or
 * written. Nothing is left then.
 */
export async function convertLabels(options: ConvertOptions): Promise<Conversion> {
  const { from, to, source, out, allowLoss = false, overwrite = false } = options;
  if (from === to) throw new FileError(source, `is in the format ${from} already`);
  const opened = await LABEL_FORMATS[from].open(source, options);
  const set = { ...opened, categories: options.classes ?? opened.categories };
  const [reading, writing] = [new Losses(), new Losses()];
  const splits = new Map<string, LabelCounts>();
  const counted = set.splits.map((split) => countSplit(split, set.categories, splits, reading));
  makeFolder(dirname(resolve(out)));
  const stage = stageBeside(out);
  try {
    await LABEL_FORMATS[to].write({ ...set, splits: counted }, stage, writing, options);
    const losses = Losses.of(reading, writing);
    if (!allowLoss && !losses.isComplete) throw new LossError(losses);
    if ([...splits.values()].every(({ images }) => images === 0))
      throw new FileError(source, 'expected at least one image, found none');
    const written = await countWritten(LABEL_FORMATS[to], stage, set);
    requireSame(splits, written, writing, out);
    putInPlace(stage, out, { overwrite });
    return { categories: set.categories, read: splits, written, losses };
  } finally {
    rmSync(stage, { recursive: true, force: true });
  }
}

/** Reads what was written again. */
async function countWritten(
  { open, written }: LabelFormat,
  out: string,
  { categories, splits }: LabelSet,
): Promise<ReadonlyMap<string, LabelCounts>> {
  const counts = new Map<string, LabelCounts>();
  const places =
    written === undefined ? [{ source: out }] : splits.map(({ name }) => ({ ...written(out, name), split: name }));
  for (const { source, ...place } of places) {
    const { images, ...rest } = place as { readonly images?: string; readonly split?: string };
    const isPlaced = images !== undefined && existsSync(images);
    const set = await open(source, { ...rest, ...(isPlaced && { images }), classes: categories });
    for (const split of set.splits) {
      for await (const image of countSplit(split, categories, counts, new Losses()).images(new Losses())) void image;
    }
  }
  return counts;
}

/** @throws Error unless all is there that was to be written: a fault of ours, which nobody would see otherwise. */
function requireSame(
  read: ReadonlyMap<string, LabelCounts>,
  written: ReadonlyMap<string, LabelCounts>,
  losses: Losses,
  out: string,
): void {
  const total = (counts: ReadonlyMap<string, LabelCounts>, of: keyof LabelCounts): number =>
    [...counts.values()].reduce((sum, split) => sum + split[of], 0);
  for (const [of, lost] of [
    ['images', 0],
    ['objects', losses.count('object')],
  ] as const) {
    const [expected, received] = [total(read, of) - lost, total(written, of)];
    if (expected !== received) throw new FileError(out, `expected ${expected} ${of} in what was written, received ${received}; nothing is kept`); // prettier-ignore
  }
}

/** The split with what no format can hold left out, counted as it is read. */
function countSplit(
  split: LabelSplit,
  categories: readonly string[],
  splits: Map<string, LabelCounts>,
  losses: Losses,
): LabelSplit {
  const known = new Set(categories);
  const read = async function* (): AsyncGenerator<LabelledImage> {
    const counts = { images: 0, empty: 0, objects: 0, masks: 0, crowds: 0 };
    splits.set(split.name, counts);
    const seen = new Map<string, string>();
    for await (const image of split.images(losses)) {
      const where = image.record === '' ? image.file : `${image.file}: ${image.record}`;
      const other = seen.get(image.name);
      if (other !== undefined)
        throw new FileError(where, `${image.name}: expected each image once, ${other} labels it too`);
      seen.set(image.name, where);
      const objects = image.objects.filter((object) => isHeld(object, image, known, losses));
      counts.images++;
      counts.empty += Number(objects.length === 0);
      counts.objects += objects.length;
      counts.masks += objects.filter(({ segmentation }) => segmentation !== undefined).length;
      counts.crowds += objects.filter(({ crowd }) => crowd).length;
      yield { ...image, objects };
    }
  };
  return { name: split.name, images: read };
}

function isHeld(
  { category, box, record }: LabelledObject,
  image: LabelledImage,
  known: Set<string>,
  losses: Losses,
): boolean {
  const where = { file: image.file, record: [image.record, record].filter((part) => part !== '').join(', ') };
  if (!known.has(category)) {
    losses.add('object', {
      ...where,
      field: 'class',
      reason: `${JSON.stringify(category)} is not in the list of classes`,
    });
    return false;
  }
  const hasArea = box[2] > 0 && box[3] > 0;
  if (!hasArea) losses.add('object', { ...where, field: 'box', reason: 'has no area' });
  return hasArea;
}
