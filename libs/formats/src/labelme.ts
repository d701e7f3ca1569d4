/**
 * LabelMe's labels (https://github.com/wkentaro/labelme): a JSON file beside each image. Shapes of one label and group are the parts of
 * one object.
 */
import { existsSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { mask, type Rle } from '@cocoeval/ts';
import { FileError, isThere, makeFolder, parseRecord, readText, writeFileAtomically } from '@pyramidal/files';
import { z } from 'zod';
import { filesBelow, ImageFinder } from './image-finder';
import {
  type Box,
  boundsOf,
  DEFAULT_SPLIT,
  type LabelFormat,
  type LabelledImage,
  type LabelledObject,
  type LabelSet,
  type ReadOptions,
  tidy,
  usedCategories,
} from './label-set';
import { Losses } from './losses';
import { decodeMask, encodeMask } from './mask-png';
import { LabelNames, placeImage } from './place-images';

export const labelme: LabelFormat = {
  source: 'a folder of JSON files, the images beside them',
  open: openLabelme,
  write: writeLabelme,
  written: (out, split) => ({ source: join(out, split), images: join(out, split) }),
};

/** The image itself may lie within, as text. */
const MAX_BYTES = 256 << 20;

const point = z.tuple([z.number(), z.number()]);

const shapeSchema = z.looseObject({
  label: z.string().min(1),
  points: z.array(point),
  shape_type: z.string().nullish(),
  group_id: z.union([z.number(), z.string()]).nullish(),
  flags: z.record(z.string(), z.unknown()).nullish(),
  description: z.string().nullish(),
  mask: z.string().nullish(),
});

const fileSchema = z.looseObject({
  imagePath: z.string().min(1),
  imageWidth: z.number().nullish(),
  imageHeight: z.number().nullish(),
  shapes: z.array(shapeSchema),
});

type Shape = z.output<typeof shapeSchema>;

/** Kinds of shapes that are no object, and why. */
const REFUSED: Readonly<Record<string, string>> = {
  rotation: 'rotated boxes have no place in COCO',
  oriented_rectangle: 'rotated boxes have no place in COCO',
  circle: 'circles have no place in COCO; draw a polygon',
  line: 'lines have no place in COCO',
  linestrip: 'lines have no place in COCO',
  point: 'points have no place in COCO',
  points: 'points have no place in COCO',
};

async function openLabelme(source: string, { images, split = DEFAULT_SPLIT, classes }: ReadOptions): Promise<LabelSet> {
  if (!existsSync(source) || !statSync(source).isDirectory())
    throw new FileError(source, 'expected a folder of JSON files');
  const files = filesBelow(source).filter((name) => name.endsWith('.json'));
  if (files.length === 0) throw new FileError(source, 'expected JSON files, found none');
  const found = new ImageFinder(images ?? source);
  const finder = images === undefined && found.all.length === 0 ? new ImageFinder() : found;
  const splits = [{ name: split, images: (losses: Losses) => readFiles(source, files, finder, losses) }];
  const list = join(source, 'labels.txt');
  const listed = classes ?? (isThere(list) ? namesIn(list) : undefined);
  return { categories: listed ?? (await usedCategories(splits, new Losses())), splits };
}

/** LabelMe's own list begins with names that are no classes. */
const namesIn = (file: string): string[] =>
  readText(file)
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter((line) => line !== '' && line !== '__ignore__' && line !== '_background_');

async function* readFiles(
  folder: string,
  files: readonly string[],
  finder: ImageFinder,
  losses: Losses,
): AsyncGenerator<LabelledImage> {
  for (const name of files) {
    const file = join(folder, name);
    const text = readText(file, { maxBytes: MAX_BYTES });
    requireFewLists(file, text);
    const { imagePath, imageWidth, imageHeight, shapes } = parseRecord(file, text, fileSchema);
    const path = dirname(name) === '.' ? imagePath : `${dirname(name)}/${imagePath.replaceAll('\\', '/')}`;
    const size = { width: imageWidth ?? 0, height: imageHeight ?? 0 };
    const image = await finder.locate({ name: path, size, file, record: '' }, losses);
    if (image === undefined) continue;
    yield { ...image, file, record: '', objects: await readShapes(shapes, image, file, losses) };
  }
}

/** Points are lists of two numbers, each of which takes half a kilobyte when they are checked. */
const MAX_LISTS = 500_000;

function requireFewLists(file: string, text: string): void {
  let count = 0;
  for (let at = text.indexOf('['); at >= 0; at = text.indexOf('[', at + 1)) count++;
  if (count > MAX_LISTS) throw new FileError(file, `expected at most ${MAX_LISTS} points and lists, received ${count}`);
}

/** Shapes in groups, in the order in which each group begins. */
function groupsOf(shapes: readonly Shape[]): { readonly shape: Shape; readonly number: number }[][] {
  const groups = new Map<string, { shape: Shape; number: number }[]>();
  shapes.forEach((shape, i) => {
    const { group_id, label } = shape;
    const key = group_id === null || group_id === undefined ? `${i}` : JSON.stringify([label, group_id]);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [{ shape, number: i + 1 }]);
    else group.push({ shape, number: i + 1 });
  });
  return [...groups.values()];
}

async function readShapes(
  shapes: readonly Shape[],
  size: { readonly width: number; readonly height: number },
  file: string,
  losses: Losses,
): Promise<LabelledObject[]> {
  const objects: LabelledObject[] = [];
  for (const group of groupsOf(shapes)) {
    const kept = group.filter(({ shape, number }) => isKept(shape, file, `shape ${number}`, losses));
    const [first] = kept;
    if (first === undefined) continue;
    const record = `shape ${first.number}`;
    const isPolygons = kept.every(({ shape }) => kindOf(shape) === 'polygon');
    // Only polygons are parts of an object; boxes of a group are objects that belong together.
    if (isPolygons) {
      const polygons = kept.map(({ shape }) => shape.points.flat().map(tidy));
      objects.push(objectOf(first.shape, record, boundsOf(polygons), polygons, file, losses));
      continue;
    }
    for (const { shape, number } of kept) {
      const own = `shape ${number}`;
      if (kept.length > 1)
        losses.add('field', { file, record: own, field: 'group_id', reason: 'COCO has no groups of objects' });
      objects.push(await readAlone(shape, own, size, file, losses));
    }
  }
  return objects;
}

const kindOf = ({ shape_type }: Shape): string => shape_type ?? 'polygon';

function isKept(shape: Shape, file: string, record: string, losses: Losses): boolean {
  const kind = kindOf(shape);
  const expected = { polygon: 3, rectangle: 2, mask: 2 }[kind];
  if (expected === undefined) {
    losses.add('object', { file, record, field: 'shape_type', reason: REFUSED[kind] ?? `'${kind}' is not known` });
    return false;
  }
  const isExact = kind !== 'polygon';
  const { length } = shape.points;
  if (isExact ? length === expected || (kind === 'rectangle' && length === 4) : length >= expected) return true;
  throw new FileError(
    file,
    `${record}: points: expected ${isExact ? '' : 'at least '}${expected} for a ${kind}, received ${length}`,
  );
}

async function readAlone(
  shape: Shape,
  record: string,
  { width, height }: { readonly width: number; readonly height: number },
  file: string,
  losses: Losses,
): Promise<LabelledObject> {
  const kind = kindOf(shape);
  if (kind === 'polygon') {
    const polygon = shape.points.flat().map(tidy);
    return objectOf(shape, record, boundsOf([polygon]), [polygon], file, losses);
  }
  if (kind === 'rectangle') {
    const [x, y, w, h] = boundsOf([shape.points.flat()]);
    return objectOf(shape, record, [tidy(x), tidy(y), tidy(w), tidy(h)], undefined, file, losses);
  }
  const [left, top] = shape.points[0]!.map(Math.round) as [number, number];
  if (typeof shape.mask !== 'string') throw new FileError(file, `${record}: mask: expected text, received none`);
  const whole = await decodeMask(shape.mask, { left, top, width, height }, `${file}: ${record}: mask`);
  return objectOf(shape, record, mask.toBbox(whole), whole, file, losses);
}

function objectOf(
  { label, flags, description }: Shape,
  record: string,
  box: Box,
  segmentation: Rle | number[][] | undefined,
  file: string,
  losses: Losses,
): LabelledObject {
  const entries = Object.entries(flags ?? {}).filter(([name, value]) => value === true && name !== 'iscrowd');
  if (description) losses.add('field', { file, record, field: 'description', reason: 'has no place in COCO' });
  return {
    category: label,
    box,
    segmentation,
    crowd: flags?.['iscrowd'] === true,
    attributes: Object.fromEntries(entries) as Record<string, boolean>,
    record,
  };
}

async function writeLabelme(
  { categories, splits }: LabelSet,
  out: string,
  losses: Losses,
  { boxesOnly = false },
): Promise<void> {
  for (const { name, images } of splits) {
    const folder = join(out, name);
    makeFolder(folder);
    const labels = new LabelNames('.json');
    for await (const image of images(losses)) {
      const target = join(folder, labels.of(image));
      makeFolder(dirname(target));
      placeImage(image, folder);
      writeFileAtomically(target, `${JSON.stringify(await describe(image, boxesOnly, losses), null, 2)}\n`);
    }
    writeFileAtomically(join(folder, 'labels.txt'), categories.map((category) => `${category}\n`).join(''));
  }
}

async function describe(image: LabelledImage, boxesOnly: boolean, losses: Losses): Promise<object> {
  const { name, width, height, objects } = image;
  const shapes: object[] = [];
  for (const [i, object] of objects.entries())
    shapes.push(...(await describeObject(object, i + 1, image, boxesOnly, losses)));
  const imagePath = name.slice(name.lastIndexOf('/') + 1);
  return { version: '5.4.1', flags: {}, shapes, imagePath, imageData: null, imageHeight: height, imageWidth: width };
}

async function describeObject(
  object: LabelledObject,
  group: number,
  image: LabelledImage,
  boxesOnly: boolean,
  losses: Losses,
): Promise<object[]> {
  const where = { file: image.file, record: [image.record, object.record].filter((part) => part !== '').join(', ') };
  const { category, crowd, box, attributes } = object;
  const segmentation = boxesOnly ? undefined : object.segmentation;
  const flags: Record<string, boolean> = crowd ? { iscrowd: true } : {};
  for (const [field, value] of Object.entries(attributes)) {
    if (typeof value === 'boolean') flags[field] = value;
    else losses.add('field', { ...where, field, reason: "LabelMe's flags are yes or no" });
  }
  const shape = (shape_type: string, points: number[][], rest: object = {}): object => ({
    ...{ label: category, points, group_id: null, description: '', shape_type, flags, mask: null },
    ...rest,
  });
  const [x, y, w, h] = box;
  if (segmentation === undefined) return [shape('rectangle', [[x, y], [tidy(x + w), tidy(y + h)]])]; // prettier-ignore
  const polygons = Array.isArray(segmentation) ? (segmentation as number[][]) : undefined;
  const drawn = polygons === undefined ? mask.toBbox(segmentation as Rle) : boundsOf(polygons);
  if (drawn.some((value, i) => Math.abs(value - box[i]!) > 1))
    losses.add('field', { ...where, field: 'bbox', reason: 'LabelMe takes the box of a mask from the mask' });
  if (polygons === undefined) {
    const { png, left, top, right, bottom } = await encodeMask(segmentation as Rle, `${where.file}: ${where.record}`);
    return [shape('mask', [[left, top], [right, bottom]], { mask: png })]; // prettier-ignore
  }
  const group_id = polygons.length > 1 ? group : null;
  return polygons.map((polygon) => shape('polygon', pairs(polygon), { group_id }));
}

const pairs = (values: readonly number[]): number[][] =>
  Array.from({ length: values.length / 2 }, (_, i) => [values[2 * i]!, values[2 * i + 1]!]);
