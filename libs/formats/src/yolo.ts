/**
 * YOLO's labels (https://docs.ultralytics.com/datasets): `data.yaml`, and for each image a text file with a line an object, its class and its
 * box or its polygon in shares of the image.
 */
import { existsSync, statSync } from 'node:fs';
import { dirname, isAbsolute, join, relative, resolve, sep } from 'node:path';
import { readMapping } from '@pyramidal/config';
import { FileError, isThere, makeFolder, readText, writeFileAtomically } from '@pyramidal/files';
import { stringify } from 'yaml';
import { asPath, filesBelow, ImageFinder } from './image-finder';
import {
  type Box,
  boundsOf,
  DEFAULT_SPLIT,
  firstTwice,
  type LabelFormat,
  type LabelledImage,
  type LabelledObject,
  type LabelSet,
  type LabelSplit,
  type ReadOptions,
  tidy,
} from './label-set';
import type { Losses } from './losses';
import { LabelNames, labelName, placeImage } from './place-images';

/** Keys of `data.yaml` that name images, and what their splits are called here. */
const SPLITS = { train: 'train', val: 'val', valid: 'val', test: 'test' } as const;

/** How far a share may lie outside of 0 to 1: rounding, or a box that leaves the image. */
const MARGIN = 0.5;

/** Of `data.yaml`, as it is read. */
const MAX_YAML = 200_000;

/** Characters of an object: a polygon of some ten thousand points. */
const MAX_LINE = 1 << 20;

export const yolo: LabelFormat = {
  source: 'data.yaml, or a folder with classes.txt, images/ and labels/',
  open: (source, options) => Promise.resolve(openYolo(source, options)),
  write: writeYolo,
};

function openYolo(source: string, options: ReadOptions): LabelSet {
  if (!existsSync(source)) throw new FileError(source, 'no such file or folder');
  const isFolder = statSync(source).isDirectory();
  const file = isFolder ? join(source, 'data.yaml') : source;
  return isFolder && !isThere(file) ? openFolder(source, options) : openYaml(file);
}

/** What LabelImg and Label Studio write: no `data.yaml`, the classes one a line. */
function openFolder(folder: string, { images, split = DEFAULT_SPLIT }: ReadOptions): LabelSet {
  const list = ['classes.txt', 'obj.names', 'labels/classes.txt'].map((name) => join(folder, name)).find(isThere);
  if (list === undefined) throw new FileError(folder, 'expected data.yaml or classes.txt, found neither');
  const categories = readText(list).split(/\r?\n/).map((line) => line.trim()); // prettier-ignore
  while (categories.at(-1) === '') categories.pop();
  const own = join(folder, 'images');
  const root = images ?? (isThere(own) ? own : folder);
  const labels = isThere(join(folder, 'labels')) ? join(folder, 'labels') : folder;
  const finder = new ImageFinder(root);
  const labelOf = (name: string): string => join(labels, labelName(name, '.txt'));
  return {
    categories: checkNames(list, categories),
    splits: [splitOf(split, { finder, names: finder.all, labelOf }, categories)],
  };
}

function openYaml(file: string): LabelSet {
  const data = readMapping(file);
  if (data['kpt_shape'] !== undefined) {
    throw new FileError(file, 'kpt_shape: expected boxes or polygons, received key points, which are not carried over');
  }
  const categories = checkNames(file, namesOf(file, data['names']));
  const own = dirname(file);
  const path = typeof data['path'] === 'string' ? resolve(own, data['path']) : own;
  const root = existsSync(path) ? path : own;
  const splits = Object.entries(SPLITS).flatMap(([key, name]): LabelSplit[] => {
    const value = data[key];
    if (value === undefined || value === null || value === '') return [];
    const places = (Array.isArray(value) ? value : [value]).map(String);
    return [openSplit(name, places.map((place) => placeOf(root, place, `${file}: ${key}`)), root, categories)]; // prettier-ignore
  });
  if (splits.length === 0) throw new FileError(file, 'expected train, val or test, found none of them');
  return { categories, splits };
}

/** A list of names, or numbers with names. */
function namesOf(file: string, names: unknown): string[] {
  if (Array.isArray(names)) return names.map(String);
  if (typeof names !== 'object' || names === null)
    throw new FileError(file, 'names: expected a list or a map of classes');
  const numbered = Object.entries(names).map(([number, name]) => [Number(number), String(name)] as const);
  numbered.sort(([a], [b]) => a - b);
  numbered.forEach(([number], i) => {
    if (number !== i) throw new FileError(file, `names: expected the numbers 0 to ${numbered.length - 1}, received ${number}`); // prettier-ignore
  });
  return numbered.map(([, name]) => name);
}

function checkNames(file: string, names: readonly string[]): readonly string[] {
  if (names.length === 0) throw new FileError(file, 'expected at least one class, found none');
  const twice = firstTwice(names);
  if (twice !== undefined) throw new FileError(file, `names: expected each class once, received ${JSON.stringify(twice)} twice`); // prettier-ignore
  return names;
}

/** A folder of images or a list of them; exports of some services begin with a `..` too many. */
function placeOf(root: string, place: string, where: string): string {
  const tries = [resolve(root, place), resolve(root, place.replace(/^(\.\.[\\/])+/, ''))];
  const found = tries.find((path) => existsSync(path));
  if (found === undefined) throw new FileError(where, `${tries[0]}: no such file or folder`);
  return found;
}

interface ListedImages {
  readonly finder: ImageFinder;
  /** As they are listed, perhaps on another machine. */
  readonly names: readonly string[];
  /** Where the labels of an image lie, by its path below the folder of the finder. */
  readonly labelOf: (name: string) => string;
}

function openSplit(name: string, places: readonly string[], root: string, categories: readonly string[]): LabelSplit {
  // One folder names its images from itself on; several, and lists, from the root on.
  const [only] = places;
  const isFolder = places.length === 1 && statSync(only!).isDirectory();
  const folder = isFolder ? only! : root;
  const finder = new ImageFinder(folder);
  const names = isFolder ? finder.all : places.flatMap((place) => listPlace(place, finder, root));
  return splitOf(name, { finder, names, labelOf: (image) => besideImages(join(folder, image)) }, categories);
}

function listPlace(place: string, finder: ImageFinder, root: string): string[] {
  if (!statSync(place).isDirectory()) {
    const lines = readText(place).split(/\r?\n/).map((line) => line.trim()).filter((line) => line !== ''); // prettier-ignore
    return lines.map((line) => (isAbsolute(line) ? relative(root, line).split(sep).join('/') : asPath(line)));
  }
  const below = relative(root, place).split(sep).join('/');
  return finder.all.filter((name) => name.startsWith(`${below}/`));
}

/** The last folder `images` of a path becomes `labels`. */
function besideImages(image: string): string {
  const parts = image.split(sep);
  const at = parts.lastIndexOf('images');
  if (at >= 0) parts[at] = 'labels';
  return labelName(parts.join(sep), '.txt');
}

function splitOf(name: string, { finder, names, labelOf }: ListedImages, categories: readonly string[]): LabelSplit {
  const read = async function* (losses: Losses): AsyncGenerator<LabelledImage> {
    const used = new Set<string>();
    for (const listed of names) {
      const size = { width: 0, height: 0 };
      const found = await finder.locate({ name: listed, size, file: labelOf(listed), record: '' }, losses);
      const label = labelOf(found?.name ?? listed);
      used.add(label);
      if (found === undefined) continue;
      const objects = isThere(label) ? readObjects(label, found, categories) : [];
      yield { ...found, objects, file: label, record: '' };
    }
    noteUnused(used, losses);
  };
  return { name, images: read };
}

/** Label files of no image: their objects would be gone without a word. */
function noteUnused(used: ReadonlySet<string>, losses: Losses): void {
  for (const folder of new Set([...used].map((label) => dirname(label)))) {
    if (!isThere(folder)) continue;
    for (const name of filesBelow(folder)) {
      const file = join(folder, name);
      const isLabel = name.endsWith('.txt') && !name.includes('/') && !['classes.txt', 'train.txt', 'val.txt', 'test.txt'].includes(name); // prettier-ignore
      if (isLabel && !used.has(file)) losses.add('image', { file, record: '', field: 'image', reason: 'there is none of this name' }); // prettier-ignore
    }
  }
}

function readObjects(
  file: string,
  image: { readonly width: number; readonly height: number },
  categories: readonly string[],
): LabelledObject[] {
  return readText(file)
    .split('\n')
    .flatMap((line, i) => {
      if (line.length > MAX_LINE) throw new FileError(`${file}:${i + 1}`, `expected a line of at most ${MAX_LINE} characters, received ${line.length}`); // prettier-ignore
      const words = line.trim().split(/\s+/);
      if (words.length === 1 && words[0] === '') return [];
      return [readLine(words, `${file}:${i + 1}`, `line ${i + 1}`, image, categories)];
    });
}

function readLine(
  words: readonly string[],
  where: string,
  record: string,
  { width, height }: { readonly width: number; readonly height: number },
  categories: readonly string[],
): LabelledObject {
  const [number, ...shares] = words.map((word) => {
    const value = Number(word);
    if (Number.isFinite(value)) return value;
    throw new FileError(where, `expected numbers, received ${JSON.stringify(word)}`);
  });
  const category = categories[number!];
  if (category === undefined)
    throw new FileError(where, `class: expected 0 to ${categories.length - 1}, received ${words[0]}`);
  const outside = shares.find((share) => share < -MARGIN || share > 1 + MARGIN);
  if (outside !== undefined)
    throw new FileError(where, `expected shares of the image from 0 to 1, received ${outside}; are these pixels?`);
  const common = { category, crowd: false, attributes: {}, record };
  if (shares.length === 4) {
    const [x, y, w, h] = shares as [number, number, number, number];
    const box: Box = [tidy((x - w / 2) * width), tidy((y - h / 2) * height), tidy(w * width), tidy(h * height)];
    return { ...common, box, segmentation: undefined };
  }
  if (shares.length < 6 || shares.length % 2 === 1) {
    throw new FileError(
      where,
      `expected a class with 4 numbers, a box, or with 3 points and more, a polygon; received ${shares.length} numbers`,
    );
  }
  const polygon = shares.map((share, i) => tidy(share * (i % 2 === 0 ? width : height)));
  return { ...common, box: boundsOf([polygon]), segmentation: [polygon] };
}

async function writeYolo(
  { categories, splits }: LabelSet,
  out: string,
  losses: Losses,
  { boxesOnly = false },
): Promise<void> {
  const numbers = new Map(categories.map((category, number) => [category, number]));
  for (const { name, images } of splits) {
    if (!(name in SPLITS)) throw new FileError(out, `YOLO's splits are train, val and test, received ${JSON.stringify(name)}`); // prettier-ignore
    makeFolder(join(out, 'images', name));
    const labels = new LabelNames('.txt');
    for await (const image of images(losses)) {
      const target = join(out, 'labels', name, labels.of(image));
      if (image.source === undefined)
        throw new FileError(image.file, 'YOLO keeps no sizes of images; name the folder of the images');
      placeImage(image, join(out, 'images', name));
      makeFolder(dirname(target));
      const lines = image.objects.flatMap((object) => lineOf(object, image, numbers, boxesOnly, losses));
      writeFileAtomically(target, lines.map((line) => `${line}\n`).join(''));
    }
  }
  const places = Object.fromEntries(splits.map(({ name }) => [name, `images/${name}`]));
  const names = Object.fromEntries(categories.map((category, i) => [i, category]));
  const text = stringify({ ...places, names });
  if (text.length > MAX_YAML) throw new FileError(out, `expected classes whose names take at most ${MAX_YAML} characters in data.yaml, received ${categories.length} classes`); // prettier-ignore
  writeFileAtomically(join(out, 'data.yaml'), text);
}

function lineOf(
  object: LabelledObject,
  { width, height, file, record }: LabelledImage,
  numbers: ReadonlyMap<string, number>,
  boxesOnly: boolean,
  losses: Losses,
): string[] {
  const where = { file, record: [record, object.record].filter((part) => part !== '').join(', ') };
  if (object.crowd) {
    losses.add('object', { ...where, field: 'iscrowd', reason: 'YOLO has no regions of many objects' });
    return [];
  }
  for (const field of Object.keys(object.attributes)) {
    losses.add('field', { ...where, field, reason: 'YOLO has no attributes' });
  }
  const number = numbers.get(object.category)!;
  const { segmentation, box } = object;
  const polygon = Array.isArray(segmentation) && segmentation.length === 1 ? (segmentation[0] as number[]) : undefined;
  if (polygon !== undefined && !boxesOnly) {
    if (!isAbout(box, boundsOf([polygon]))) {
      losses.add('field', { ...where, field: 'bbox', reason: 'YOLO takes the box of a polygon from its points' });
    }
    return [[number, ...polygon.map((value, i) => value / (i % 2 === 0 ? width : height))].join(' ')];
  }
  if (segmentation !== undefined && !boxesOnly) {
    const reason = Array.isArray(segmentation) ? 'a YOLO object is one polygon' : 'YOLO has no run lengths';
    losses.add('mask', { ...where, field: 'segmentation', reason });
  }
  const [x, y, w, h] = box;
  return [[number, (x + w / 2) / width, (y + h / 2) / height, w / width, h / height].join(' ')];
}

/** Within a pixel: boxes of polygons are often written in whole pixels. */
const isAbout = (a: Box, b: Box): boolean => a.every((value, i) => Math.abs(value - b[i]!) <= 1);
