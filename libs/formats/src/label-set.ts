/** Labelled images as every format can say them: classes by name, boxes and masks in pixels, one image at a time. */
import type { Segmentation } from '@cocoeval/ts';
import type { Losses } from './losses';

/** `[x, y, width, height]` in pixels, from the upper left corner of the image. */
export type Box = readonly [x: number, y: number, width: number, height: number];

/** What else a format says of an object, such as `difficult`. */
export type Attributes = Readonly<Record<string, string | number | boolean>>;

export interface LabelledObject {
  readonly category: string;
  readonly box: Box;
  /** Polygons, or run lengths of the image's size; nothing where the object is labelled by its box alone. */
  readonly segmentation: Segmentation | undefined;
  /** A region of more objects than were labelled one by one. */
  readonly crowd: boolean;
  readonly attributes: Attributes;
  /** Where its file has it, for messages: `line 3`. */
  readonly record: string;
}

export interface LabelledImage {
  /** Below the folder of the images, with `/` between folders. */
  readonly name: string;
  /** The image on this machine, if its folder is known. */
  readonly source: string | undefined;
  readonly width: number;
  readonly height: number;
  readonly objects: readonly LabelledObject[];
  /** The file that labels it, and where in it, for messages. */
  readonly file: string;
  readonly record: string;
}

export interface LabelSplit {
  /** `train`, `val`, `test`, or a name of one's own. */
  readonly name: string;
  /**
   * Reads the images one by one, each time anew.
   * @param losses gets what cannot be carried over.
   * @throws FileError for a record that cannot be understood.
   */
  images(losses: Losses): AsyncIterable<LabelledImage>;
}

export interface LabelSet {
  /** Names of the classes, in the order of their numbers. */
  readonly categories: readonly string[];
  readonly splits: readonly LabelSplit[];
}

export interface ReadOptions {
  /** The folder of the images, where the format does not fix it. */
  readonly images?: string;
  /** What the only split of the format is called. */
  readonly split?: string;
  /** The classes in their order, for formats that don't list them. */
  readonly classes?: readonly string[];
  /** The first column and row of Pascal VOC's boxes: 1, as its own, or 0, as some tools write it. */
  readonly vocFirst?: 0 | 1;
}

export interface WriteOptions {
  /** Boxes alone, on purpose: masks are no loss. */
  readonly boxesOnly?: boolean;
}

/** Lines of one format. */
export interface LabelFormat {
  /** What is read, for people. */
  readonly source: string;
  /** @throws FileError if there is no such set. */
  open(source: string, options: ReadOptions): Promise<LabelSet>;
  /** Writes the labels into an empty folder and puts the images beside them. */
  write(set: LabelSet, out: string, losses: Losses, options: WriteOptions): Promise<void>;
  /** Where a written split is read again; absent where the folder holds all of them. */
  readonly written?: (out: string, split: string) => { readonly source: string; readonly images: string };
}

/** The only split of formats that have none. */
export const DEFAULT_SPLIT = 'train';

/** The box around polygons, each `[x0, y0, x1, y1, ...]`. */
export function boundsOf(polygons: readonly (readonly number[])[]): Box {
  let [left, top, right, bottom] = [Infinity, Infinity, -Infinity, -Infinity];
  for (const polygon of polygons) {
    for (let i = 0; i + 1 < polygon.length; i += 2) {
      left = Math.min(left, polygon[i]!);
      right = Math.max(right, polygon[i]!);
      top = Math.min(top, polygon[i + 1]!);
      bottom = Math.max(bottom, polygon[i + 1]!);
    }
  }
  return [left, top, right - left, bottom - top];
}

/** To a millionth of a pixel: shares of an image times its size end in digits that mean nothing. */
export const tidy = (value: number): number => Math.round(value * 1e6) / 1e6;

/** The first name that stands in a list a second time. */
export function firstTwice(names: readonly string[]): string | undefined {
  const seen = new Set<string>();
  return names.find((name) => seen.size === seen.add(name).size);
}

/** The names that objects use, sorted, where a format has no list of its own. */
export async function usedCategories(splits: readonly LabelSplit[], losses: Losses): Promise<string[]> {
  const names = new Set<string>();
  for (const split of splits) {
    for await (const { objects } of split.images(losses)) for (const { category } of objects) names.add(category);
  }
  return [...names].sort((a, b) => (a < b ? -1 : 1));
}
