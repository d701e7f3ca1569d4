/**
 * Datasets in COCO's format as a detector learns from them: one record an image, labels from 0, boxes by their corners. The rules for
 * records are those of evaluation (`@cocoeval/ts`), so that nothing is refused only after training.
 */
import {
  type CheckedAnnotation,
  type CheckedCategory,
  type COCO,
  CocoFormatError,
  type Segmentation,
} from '@cocoeval/ts';
import { readCategories, readCoco } from '@cocoeval/ts/node';
import type { Orientation, Size } from '@pyramidal/images';
import { partOf, type SplitPart, surveyPictures } from '@pyramidal/loading';
import { pathOf, requireFiles } from './image-files';
import { boxesBeyond, describeDropped, outlinesApart, repeatedNames, unusedClasses } from './remarks';
import { withAreas } from './with-areas';

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

/** An annotation that no detector can learn from. */
export interface DroppedObject {
  /** Of the annotation. */
  readonly id: number;
  readonly reason: 'an area of 0' | 'a box less than a pixel wide or high' | 'a box outside of its image';
}

export interface DetectionDataset {
  /** By label: the categories in the order of their ids, which need not be contiguous. */
  readonly classes: readonly DetectionClass[];
  /** In the order of the images' ids. */
  readonly samples: readonly DetectionSample[];
  /** The file as it is, for evaluation. */
  readonly coco: COCO;
  readonly dropped: readonly DroppedObject[];
  /** What people should know of the dataset before they use it, one line each. */
  readonly notes: readonly string[];
}

export interface DetectionDatasetOptions {
  /** The annotations' file. */
  readonly annotations: string;
  /** The folder of the images. */
  readonly images: string;
  /** Whether evaluation reads the file too, which needs the area of each object. */
  readonly evaluated?: boolean;
  /** One side of a split of the images, by their ids; all of them unless told. */
  readonly part?: SplitPart;
  /** Images without objects (crowds aside); default 'keep'. */
  readonly emptyImages?: 'keep' | 'filter';
  /** How images are read; default 'exif', as OpenCV, MMDetection and detectron2 read them. */
  readonly orientation?: Orientation;
  /** Larger images count as broken; unless told, as many pixels are taken as there are. */
  readonly maxPixels?: number | undefined;
  /** Whether images that are broken or of another size than annotated are skipped later; default 'fail'. */
  readonly onBroken?: 'fail' | 'skip';
}

/**
 * Reads annotations, and headers of images, without decoding any.
 * @throws CocoFormatError naming the file and the first record that evaluation or training would refuse; Error for an image that is not in
 * the folder or not of its annotated size, or if no image is left.
 */
export async function openDetectionDataset(options: DetectionDatasetOptions): Promise<DetectionDataset> {
  const { annotations: file, images: folder, evaluated = false } = options;
  const { part, emptyImages = 'keep', orientation = 'exif', maxPixels, onBroken = 'fail' } = options;
  const { coco, notes: about } = withAreas(readCoco(file), file);
  limitAnnotations(coco, file);
  const { images, categories, annotations } = coco.checkedRecords();
  if (evaluated) coco.requireEvaluable('bbox');
  const classes = classesOf(categories, file);
  const dropped: DroppedObject[] = [];
  const byImage = groupByImage(annotations, classes, images, dropped);
  const samples = images
    .map(({ id, fileName, width, height }, i): DetectionSample => {
      const path = pathOf(folder, fileName, `${file}: images[${i}] (id ${id})`);
      return { id, file: path, width, height, ...(byImage.get(id) ?? { objects: [], crowds: [] }) };
    })
    .sort((a, b) => a.id - b.id);
  const chosen = part === undefined ? samples : partOf(samples, part, { keyOf: ({ id }) => id });
  const kept = emptyImages === 'keep' ? chosen : chosen.filter(({ objects }) => objects.length > 0);
  const left = describeDropped(dropped);
  const empty = chosen.length - kept.length;
  if (kept.length === 0) {
    const found = `${images.length} images, ${annotations.length} annotations`;
    const reason = left === undefined ? '' : `; left out: ${left}`;
    throw new CocoFormatError(
      `${file}: expected at least one image${emptyImages === 'keep' ? '' : ' with an object'}, received none: ${found}${reason}`,
    );
  }
  const notes = [
    ...about,
    ...(left === undefined ? [] : [`${file}: ${dropped.length} objects are left out: ${left}`]),
    ...(empty === 0 ? [] : [`${file}: ${empty} of ${chosen.length} images have no object and are left out`]),
    ...repeatedNames(file, images, classes),
    ...boxesBeyond(file, kept),
    ...outlinesApart(file, kept),
    ...unusedClasses(file, classes, kept),
    ...(await requireFiles(folder, samples.map(({ file: path }) => path))), // prettier-ignore
    ...(await surveyPictures(kept, { orientation, maxPixels, onBroken })),
  ];
  return { classes, samples: kept, coco, dropped, notes };
}

/**
 * Reads the categories of a COCO-format file alone, which may hold nothing else.
 * @returns them by label.
 * @throws CocoFormatError naming the file.
 */
export async function readDetectionClasses(annotations: string): Promise<DetectionClass[]> {
  return classesOf(readCategories(annotations), annotations);
}

/** Two datasets of one configuration that do not have the same categories. */
export class CategoryMismatchError extends CocoFormatError {
  /** What a program ends with: the configuration names files that don't belong together. */
  readonly exitCode = 2;
}

/**
 * Checks that two datasets mean the same by each label. A category is its id and its name: a file with the same names under other ids would
 * be measured against the wrong ones.
 * @throws CategoryMismatchError naming the first category that differs.
 */
export function requireSameClasses(
  expected: { readonly name: string; readonly classes: readonly DetectionClass[] },
  received: { readonly name: string; readonly classes: readonly DetectionClass[] },
): void {
  const names = new Map(received.classes.map(({ categoryId, name }) => [categoryId, name]));
  for (const { categoryId, name } of expected.classes) {
    const other = names.get(categoryId);
    if (other === name) continue;
    const there = other === undefined ? 'is missing' : `'${other}'`;
    throw new CategoryMismatchError(
      `${received.name}: category ${categoryId} is '${name}' in ${expected.name} and ${there} here`,
    );
  }
  if (received.classes.length === expected.classes.length) return;
  const known = new Set(expected.classes.map(({ categoryId }) => categoryId));
  const { categoryId, name } = received.classes.find((own) => !known.has(own.categoryId))!;
  throw new CategoryMismatchError(
    `${received.name}: category ${categoryId} is '${name}' here and is missing in ${expected.name}`,
  );
}

/** Annotations of one image: a thread is sent an image with all of its own. */
const MOST_ANNOTATIONS = 100_000;

function limitAnnotations({ imgToAnns }: COCO, file: string): void {
  for (const [id, { length }] of imgToAnns) {
    if (length <= MOST_ANNOTATIONS) continue;
    throw new CocoFormatError(
      `${file}: image ${id}: expected at most ${MOST_ANNOTATIONS} annotations of one image, received ${length}`,
    );
  }
}

function classesOf(categories: readonly CheckedCategory[], file: string): DetectionClass[] {
  if (categories.length === 0) throw new CocoFormatError(`${file}: categories: expected at least one, received none`);
  return categories.map(({ id, name }) => ({ categoryId: id, name })).sort((a, b) => a.categoryId - b.categoryId);
}

type Objects = { readonly objects: DetectionObject[]; readonly crowds: DetectionObject[] };

function groupByImage(
  annotations: readonly CheckedAnnotation[],
  classes: readonly DetectionClass[],
  images: readonly (Size & { readonly id: number })[],
  dropped: DroppedObject[],
): Map<number, Objects> {
  const labels = new Map(classes.map(({ categoryId }, label) => [categoryId, label]));
  const sizes = new Map(images.map((image) => [image.id, image]));
  const groups = new Map<number, Objects>();
  for (const annotation of annotations) {
    const { id, imageId, categoryId, bbox, crowd, segmentation } = annotation;
    const reason = reasonToDrop(annotation, sizes.get(imageId)!);
    if (reason !== undefined) {
      dropped.push({ id, reason });
      continue;
    }
    const [x, y, width, height] = bbox;
    const object = { id, label: labels.get(categoryId)!, box: [x, y, x + width, y + height] as const, segmentation };
    const group = groups.get(imageId) ?? { objects: [], crowds: [] };
    groups.set(imageId, group);
    (crowd ? group.crowds : group.objects).push(object);
  }
  return groups;
}

/** As MMDetection leaves out objects. */
function reasonToDrop({ bbox, area }: CheckedAnnotation, { width, height }: Size): DroppedObject['reason'] | undefined {
  const [x, y, w, h] = bbox;
  if (area !== undefined && area <= 0) return 'an area of 0';
  if (w < 1 || h < 1) return 'a box less than a pixel wide or high';
  const visible = Math.min(x + w, width) > Math.max(x, 0) && Math.min(y + h, height) > Math.max(y, 0);
  return visible ? undefined : 'a box outside of its image';
}
