/** COCO's labels (https://cocodataset.org/#format-data): `annotations/instances_<split>.json`, the images of a split in a folder of its name. */
import { existsSync, readdirSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { type CocoAnnotation, mask, type Polygons, type Rle } from '@cocoeval/ts';
import { readCategories, readCoco } from '@cocoeval/ts/node';
import { FileError, isThere, makeFolder, PendingFile } from '@pyramidal/files';
import { ImageFinder } from './image-finder';
import {
  type Attributes,
  DEFAULT_SPLIT,
  firstTwice,
  type LabelFormat,
  type LabelledImage,
  type LabelledObject,
  type LabelSet,
  type LabelSplit,
  type ReadOptions,
  type WriteOptions,
} from './label-set';
import type { Losses } from './losses';
import { placeImage } from './place-images';

export const coco: LabelFormat = {
  source: 'a JSON file, or a folder with annotations/instances_<split>.json',
  open: (source, options) => Promise.resolve(openCoco(source, options)),
  write: writeCoco,
};

/** What of an annotation is carried over; other fields are named. */
const CARRIED = new Set(['id', 'image_id', 'category_id', 'bbox', 'area', 'iscrowd', 'segmentation', 'attributes']);

function openCoco(source: string, options: ReadOptions): LabelSet {
  if (!existsSync(source)) throw new FileError(source, 'no such file or folder');
  const files = statSync(source).isDirectory()
    ? filesOf(source)
    : [{ file: source, folder: options.images, split: splitOf(source, options) }];
  const lists = files.map(({ file }) => namesIn(file));
  const [categories] = lists as [string[]];
  const known = new Set(categories);
  lists.forEach((list, i) => {
    const own = new Set(list);
    const other = list.find((name) => !known.has(name)) ?? categories.find((name) => !own.has(name));
    if (other !== undefined) throw new FileError(files[i]!.file, `categories: expected those of ${files[0]!.file}, ${JSON.stringify(other)} differs`); // prettier-ignore
  });
  const splits = files.map(({ file, folder, split }): LabelSplit => {
    const finder = new ImageFinder(options.images ?? folder);
    return { name: split, images: (losses) => readImages(file, finder, losses) };
  });
  return { categories, splits };
}

const splitOf = (file: string, { split }: ReadOptions): string =>
  split ?? /^instances_(.+)\.json$/.exec(basename(file))?.[1] ?? DEFAULT_SPLIT;

function filesOf(
  root: string,
): { readonly file: string; readonly folder: string | undefined; readonly split: string }[] {
  const folder = join(root, 'annotations');
  const found = isThere(folder) ? readdirSync(folder).filter((name) => /^instances_.+\.json$/.test(name)).sort() : []; // prettier-ignore
  if (found.length === 0) throw new FileError(folder, 'expected instances_<split>.json, found none');
  return found.map((name) => {
    const split = splitOf(name, {});
    const images = [join(root, split), join(root, 'images', split)].find(isThere);
    return { file: join(folder, name), folder: images, split };
  });
}

/** Names in the order of their ids. */
function namesIn(file: string): string[] {
  const sorted = readCategories(file).sort((a, b) => a.id - b.id).map(({ name }) => name); // prettier-ignore
  const twice = firstTwice(sorted);
  if (twice !== undefined) throw new FileError(file, `categories: expected each name once, received ${JSON.stringify(twice)} twice`); // prettier-ignore
  return sorted;
}

async function* readImages(file: string, finder: ImageFinder, losses: Losses): AsyncGenerator<LabelledImage> {
  const read = readCoco(file);
  const { images, categories, annotations } = read.checkedRecords();
  const names = new Map(categories.map(({ id, name }) => [id, name]));
  const objects = new Map<number, LabelledObject[]>();
  for (const { id, imageId, categoryId, bbox, crowd, segmentation } of annotations) {
    const record = `annotation ${id}`;
    const raw = read.annotation(id)!;
    noteFields(raw, { file, record }, losses);
    const object = {
      category: names.get(categoryId)!,
      box: bbox,
      crowd,
      segmentation,
      attributes: attributesOf(raw),
      record,
    };
    const own = objects.get(imageId);
    if (own === undefined) objects.set(imageId, [object]);
    else own.push(object);
  }
  for (const { id, fileName, width, height } of images) {
    const record = `image ${id}`;
    const found = await finder.locate({ name: fileName, size: { width, height }, file, record }, losses);
    if (found !== undefined) yield { ...found, file, record, objects: objects.get(id) ?? [] };
  }
}

function noteFields(annotation: CocoAnnotation, where: { file: string; record: string }, losses: Losses): void {
  for (const field of Object.keys(annotation)) {
    if (!CARRIED.has(field))
      losses.add('field', { ...where, field, reason: 'only boxes, masks and attributes are carried over' });
  }
}

function attributesOf({ attributes }: CocoAnnotation): Attributes {
  if (typeof attributes !== 'object' || attributes === null) return {};
  const isPlain = (value: unknown): boolean => ['string', 'number', 'boolean'].includes(typeof value);
  return Object.fromEntries(Object.entries(attributes).filter(([, value]) => isPlain(value)));
}

async function writeCoco(
  { categories, splits }: LabelSet,
  out: string,
  losses: Losses,
  { boxesOnly = false }: WriteOptions,
): Promise<void> {
  makeFolder(join(out, 'annotations'));
  const ids = new Map(categories.map((name, i) => [name, i + 1]));
  for (const { name, images } of splits) {
    const file = new PendingFile(join(out, 'annotations', `instances_${name}.json`));
    try {
      file.write('{"annotations":[');
      // Records of images are small; those of objects are written as they come.
      const records: object[] = [];
      let count = 0;
      for await (const image of images(losses)) {
        const { name: file_name, width, height, objects } = image;
        const id = records.push({ id: records.length + 1, file_name, width, height });
        placeImage(image, join(out, name));
        for (const object of objects) {
          const annotation = describe(object, image, boxesOnly);
          const whole = { id: count + 1, image_id: id, category_id: ids.get(object.category)!, ...annotation };
          file.write(`${count++ === 0 ? '' : ','}\n${JSON.stringify(whole)}`);
        }
      }
      const listed = [...ids].map(([category, id]) => ({ id, name: category }));
      file.write(`],\n"images":${JSON.stringify(records)},\n"categories":${JSON.stringify(listed)}}\n`);
      file.complete();
    } finally {
      file.discard();
    }
  }
}

function describe(
  { box, segmentation, crowd, attributes }: LabelledObject,
  { width, height }: LabelledImage,
  boxesOnly: boolean,
): object {
  const drawn = boxesOnly ? undefined : segmentation;
  return {
    bbox: box,
    area: drawn === undefined ? box[2] * box[3] : areaOf(drawn as Polygons | Rle, width, height),
    iscrowd: Number(crowd),
    ...(drawn !== undefined && { segmentation: drawn }),
    ...(Object.keys(attributes).length > 0 && { attributes }),
  };
}

const areaOf = (segmentation: Polygons | Rle, width: number, height: number): number =>
  mask.area(
    Array.isArray(segmentation)
      ? mask.merge(mask.fromPolygons(segmentation as Polygons, height, width))
      : (segmentation as Rle),
  );
