/** Datasets in COCO's format as a detector learns from them: one record an image, labels from 0, boxes by their corners. */
import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  COCO,
  type CocoAnnotation,
  type CocoDataset,
  CocoFormatError,
  type CocoImage,
  mask,
  type Segmentation,
} from '@cocoeval/ts';
import { readCoco } from '@cocoeval/ts/node';

/** `[x1, y1, x2, y2]` in pixels. */
export type Corners = readonly [x1: number, y1: number, x2: number, y2: number];

export interface DetectionObject {
  /** Of the annotation. */
  readonly id: number;
  /** Index into the dataset's classes. */
  readonly label: number;
  readonly box: Corners;
  /** Undefined where the object is labelled by its box alone. */
  readonly segmentation: Segmentation | undefined;
}

export interface DetectionSample {
  /** Of the image. */
  readonly id: number;
  readonly file: string;
  readonly width: number;
  readonly height: number;
  readonly objects: readonly DetectionObject[];
  /** Regions with more objects than were drawn one by one. */
  readonly crowds: readonly DetectionObject[];
}

export interface DetectionClass {
  /** The category's id in the files, for results. */
  readonly categoryId: number;
  readonly name: string;
}

export interface DetectionDataset {
  /** By label: the categories in the order of their ids, which need not be contiguous. */
  readonly classes: readonly DetectionClass[];
  /** In the order of the images' ids. */
  readonly samples: readonly DetectionSample[];
  /** The file as it is, for evaluation. */
  readonly coco: COCO;
  /** Annotations left out because their box is less than a pixel wide or high, without area, or outside of the image. */
  readonly dropped: readonly number[];
}

export interface DetectionDatasetOptions {
  /** The annotations' file. */
  readonly annotations: string;
  /** The folder of the images. */
  readonly images: string;
  /** Images without objects (crowds aside); kept unless told. */
  readonly emptyImages?: 'keep' | 'filter';
}

/**
 * Reads annotations without decoding any image.
 * @throws CocoFormatError or Error naming the file and the first record that is wrong: an id twice, an unknown image or
 * category, a broken polygon, an image that is not in the folder.
 */
export async function openDetectionDataset(options: DetectionDatasetOptions): Promise<DetectionDataset> {
  const { annotations, images, emptyImages = 'keep' } = options;
  const dataset = await naming(annotations, async () => {
    const coco = readCoco(annotations);
    const classes = classesOf(coco);
    const labels = new Map(classes.map(({ categoryId }, label) => [categoryId, label]));
    const dropped: number[] = [];
    requireImages(coco);
    const samples = [...coco.imgs.values()]
      .sort((a, b) => a.id - b.id)
      .map((image) => sampleOf(image, coco.imgToAnns.get(image.id) ?? [], images, labels, dropped))
      .filter(({ objects }) => emptyImages === 'keep' || objects.length > 0);
    return { classes, samples, coco, dropped };
  });
  await requireFiles(images, dataset.samples);
  return dataset;
}

/**
 * Reads the categories of a COCO-format file alone, which may hold nothing else.
 * @returns them by label.
 */
export async function readDetectionClasses(annotations: string): Promise<DetectionClass[]> {
  return naming(annotations, async () => {
    const { categories } = JSON.parse(await readFile(annotations, 'utf8')) as CocoDataset;
    return classesOf(new COCO({ images: [], categories }));
  });
}

/** Errors say which file they are about. */
async function naming<T>(file: string, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    const { message } = error as Error;
    if (isMissing(error)) throw new Error(`${file}: no such file`, { cause: error });
    if (message.startsWith(`${file}:`)) throw error;
    if (error instanceof SyntaxError) throw new CocoFormatError(`${file}: not valid JSON: ${message}`);
    if (error instanceof CocoFormatError) throw new CocoFormatError(`${file}: ${message}`);
    throw new Error(`${file}: ${message}`, { cause: error });
  }
}

const isMissing = (error: unknown): boolean => (error as { code?: unknown } | null)?.code === 'ENOENT';

function classesOf({ categories }: COCO): DetectionClass[] {
  if (categories.length === 0) throw new CocoFormatError('categories: expected at least one, received none');
  const sorted = [...categories].sort((a, b) => a.id - b.id);
  return sorted.map(({ id, name }) => ({ categoryId: id, name: name ?? `category ${id}` }));
}

function requireImages({ imgs, anns }: COCO): void {
  for (const { id, image_id } of anns.values()) {
    if (imgs.has(image_id)) continue;
    throw new CocoFormatError(`annotation ${id}: image_id: expected the id of an image, received ${image_id}`);
  }
}

async function requireFiles(folder: string, samples: readonly DetectionSample[]): Promise<void> {
  const present = new Set(await listFolder(folder));
  // Names with a folder of their own are looked up one by one.
  const isThere = (file: string): boolean => present.has(file.slice(folder.length + 1)) || existsSync(file);
  const missing = samples.filter(({ file }) => !isThere(file));
  if (missing.length === 0) return;
  const [first] = missing as [DetectionSample];
  throw new Error(
    `${folder}: ${missing.length} of ${samples.length} images are not there, the first one ${first.file}`,
  );
}

async function listFolder(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    throw new Error(`${folder}: ${isMissing(error) ? 'no such folder' : (error as Error).message}`, { cause: error });
  }
}

function sampleOf(
  image: CocoImage,
  annotations: readonly CocoAnnotation[],
  folder: string,
  labels: ReadonlyMap<number, number>,
  dropped: number[],
): DetectionSample {
  const { id, width, height, file_name } = image;
  const whole = (side: unknown): boolean => Number.isInteger(side) && (side as number) > 0;
  if (!whole(width) || !whole(height)) {
    throw new CocoFormatError(
      `image ${id}: expected a width and height in whole pixels, received ${width} x ${height}`,
    );
  }
  if (!file_name) throw new CocoFormatError(`image ${id}: file_name: expected one, received nothing`);
  const size = { width: width as number, height: height as number };
  const objects: DetectionObject[] = [];
  const crowds: DetectionObject[] = [];
  for (const annotation of annotations) {
    const object = objectOf(annotation, size, labels);
    if (object === undefined) dropped.push(annotation.id);
    else (annotation.iscrowd ? crowds : objects).push(object);
  }
  return { id, file: join(folder, file_name), ...size, objects, crowds };
}

/** Nothing for a box that no detector can learn from. */
function objectOf(
  annotation: CocoAnnotation,
  { width, height }: { width: number; height: number },
  labels: ReadonlyMap<number, number>,
): DetectionObject | undefined {
  const { id, category_id, bbox, area, segmentation } = annotation;
  const label = labels.get(category_id);
  const wrong = (field: string, expected: string, received: unknown): never => {
    throw new CocoFormatError(`annotation ${id}: ${field}: expected ${expected}, received ${JSON.stringify(received)}`);
  };
  if (label === undefined) return wrong('category_id', 'the id of a category', category_id);
  if (bbox?.length !== 4 || !bbox.every(Number.isFinite)) return wrong('bbox', '[x, y, width, height]', bbox);
  const [x, y, w, h] = bbox as [number, number, number, number];
  const visibleWidth = Math.min(x + w, width) - Math.max(x, 0);
  const visibleHeight = Math.min(y + h, height) - Math.max(y, 0);
  if (w < 1 || h < 1 || (area !== undefined && area <= 0) || visibleWidth <= 0 || visibleHeight <= 0) return undefined;
  const drawn = hasMask(segmentation) ? segmentation : undefined;
  if (drawn !== undefined) checkSegmentation(drawn, wrong);
  return { id, label, box: [x, y, x + w, y + h], segmentation: drawn };
}

/** Tools that label boxes write an empty list, null, or no `segmentation` at all. */
function hasMask(segmentation: Segmentation | null | undefined): segmentation is Segmentation {
  return segmentation !== undefined && segmentation !== null && !(Array.isArray(segmentation) && !segmentation.length);
}

function checkSegmentation(
  segmentation: Segmentation,
  wrong: (field: string, expected: string, received: unknown) => never,
): void {
  if (!Array.isArray(segmentation)) {
    mask.area(segmentation as Exclude<Segmentation, readonly unknown[]>);
    return;
  }
  segmentation.forEach((polygon: unknown, part) => {
    const isPolygon = Array.isArray(polygon) && polygon.length >= 6 && polygon.length % 2 === 0;
    if (isPolygon && polygon.every(Number.isFinite)) return;
    wrong(`segmentation[${part}]`, 'a polygon [x0, y0, x1, y1, ...] of at least three points', polygon);
  });
}
