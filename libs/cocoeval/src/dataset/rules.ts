/**
 * The rules for the records of an annotation file, the same for every reader: evaluation, training and prediction. They take
 * what pycocotools takes and gets right (https://cocodataset.org/#format-data), and refuse what it takes and gets wrong.
 */
import { Uint32Column } from '../format/columns';
import { checkFinite, checkId, checkNumbers, fail, isRecord, show, type Where } from '../format/errors';
import type {
  Box,
  CocoAnnotation,
  CocoCategory,
  CocoImage,
  Polygons,
  Rle,
  Segmentation,
  Size,
  UncompressedRle,
} from '../format/types';
import { asBox } from '../mask/boxes';
import { appendRuns, checkCrossings, checkPolygons, checkSize } from '../mask/mask';

/** A category with its name as text. */
export interface CheckedCategory {
  readonly id: number;
  readonly name: string;
}

/** An image with its file and its size in pixels. */
export interface CheckedImage {
  readonly id: number;
  readonly fileName: string;
  readonly width: number;
  readonly height: number;
}

/** An annotation of a listed image and category. */
export interface CheckedAnnotation {
  readonly id: number;
  readonly imageId: number;
  readonly categoryId: number;
  /** `[x, y, width, height]` in pixels. */
  readonly bbox: Box;
  /** In square pixels, if the file says. */
  readonly area: number | undefined;
  /** Whether this is a region of many objects (`iscrowd`). */
  readonly crowd: boolean;
  /** Undefined if the object has no mask: missing, null or an empty list. */
  readonly segmentation: Segmentation | undefined;
}

/** Ids that were seen before. */
export interface Seen {
  has(id: number): boolean;
}

/** @returns the id of an image. @throws CocoFormatError if it has none, or one that was seen before. */
export function checkImageId(image: unknown, where: Where, seen: Seen): number {
  return checkOwnId(image, 'image', where, seen);
}

/** @returns the id of a category. @throws CocoFormatError if it has none, or one that was seen before. */
export function checkCategoryId(category: unknown, where: Where, seen: Seen): number {
  return checkOwnId(category, 'category', where, seen);
}

/** @returns the ids of an annotation. @throws CocoFormatError if one is missing, or its own was seen before. */
export function checkAnnotationIds(
  annotation: unknown,
  index: number,
  source: string,
  seen: Seen,
): { id: number; imageId: number; categoryId: number } {
  const id = checkOwnId(annotation, 'annotation', () => annotationLabel(source, index), seen);
  const where = (): string => annotationLabel(source, index, id);
  const { image_id, category_id } = annotation as Record<string, unknown>;
  return {
    id,
    imageId: checkId(image_id, 'image_id', where),
    categoryId: checkId(category_id, 'category_id', where),
  };
}

/** @param source what stands before the record's name: '' or the file and a colon. */
export function annotationLabel(source: string, index: number, id?: number): string {
  return `${source}annotations[${index}]${id === undefined ? '' : ` (id ${id})`}`;
}

/** A category's name as text; numbers are welcome, and the id stands in for a missing name. */
export function categoryName({ id, name }: CocoCategory): string {
  if (name === undefined || name === null) return String(id);
  return typeof name === 'string' ? name : show(name);
}

/** Whether an annotation is a crowd: 0 or 1; a missing `iscrowd` counts as 0. */
export function checkCrowd(value: unknown, where: Where): boolean {
  if (value === undefined || value === 0 || value === false) return false;
  return value === 1 || value === true || fail(where, 'iscrowd', '0 or 1', value);
}

/** An area in square pixels. */
export function checkArea(value: unknown, where: Where): number {
  const area = checkFinite(value, 'area', where);
  return area >= 0 ? area : fail(where, 'area', 'at least 0', area);
}

/** An annotation's `[x, y, width, height]` in pixels. */
export function checkBox(value: unknown, where: Where): Box {
  const box = asBox(checkNumbers(value, 4, 'bbox', where));
  return box[2] < 0 || box[3] < 0 ? fail(where, 'bbox', 'a width and height of at least 0', value) : box;
}

/** An image's height and width. @throws CocoFormatError unless both are whole and positive, and masks can be that large. */
export function checkImageSize({ height, width }: CocoImage, where: Where): Size {
  const side = (value: unknown, field: string): number =>
    Number.isInteger(value) && (value as number) > 0 ? (value as number) : fail(where, field, 'whole pixels', value);
  const size = [side(height, 'height'), side(width, 'width')] as const;
  return checkSize(size, where);
}

/** An image's file. */
function checkFileName(value: unknown, where: Where): string {
  return typeof value === 'string' && value !== '' ? value : fail(where, 'file_name', 'text', value);
}

/**
 * A segmentation as it can be drawn in an image: polygons without parts of fewer than three points, which cover nothing,
 * or a mask of the image's size.
 * @returns undefined where there is none: missing, null or an empty list.
 */
export function checkSegmentation(
  value: unknown,
  image: Omit<CheckedImage, 'fileName'>,
  where: Where,
): Segmentation | undefined {
  if (value === undefined || value === null || (Array.isArray(value) && value.length === 0)) return undefined;
  if (!isRecord(value)) {
    const polygons = checkPolygons(value, where);
    checkCrossings(polygons, image.width, where);
    return drawable(polygons);
  }
  const own = checkSize(value['size'], where, 'segmentation.size');
  checkMaskSize(own, [image.height, image.width], image.id, where);
  appendRuns(value, new Uint32Column(), where, 'segmentation.');
  return value as object as Rle | UncompressedRle;
}

/** @throws CocoFormatError unless a run-length mask has the size of its image. */
export function checkMaskSize(own: Size, image: Size, imageId: number, where: Where): void {
  if (own[0] === image[0] && own[1] === image[1]) return;
  fail(where, 'segmentation.size', `[${image}] as image ${imageId} has`, own);
}

/** Everything of a category. */
export function checkCategory(category: CocoCategory): CheckedCategory {
  return { id: category.id, name: categoryName(category) };
}

/** Everything of an image that training reads. */
export function checkImage(image: CocoImage, where: Where): CheckedImage {
  const fileName = checkFileName(image.file_name, where);
  const [height, width] = checkImageSize(image, where);
  return { id: image.id, fileName, width, height };
}

/** Everything of an annotation that training reads. @param image undefined if the file lists none with that id. */
export function checkAnnotation(
  annotation: CocoAnnotation,
  image: CheckedImage | undefined,
  categories: Seen,
  where: Where,
): CheckedAnnotation {
  const { id, image_id, category_id, area } = annotation;
  if (image === undefined) return fail(where, 'image_id', 'the id of an image of this file', image_id);
  if (!categories.has(category_id)) fail(where, 'category_id', 'the id of a category of this file', category_id);
  return {
    id,
    imageId: image_id,
    categoryId: category_id,
    bbox: checkBox(annotation.bbox, where),
    area: area === undefined ? undefined : checkArea(area, where),
    crowd: checkCrowd(annotation.iscrowd, where),
    segmentation: checkSegmentation(annotation.segmentation, image, where),
  };
}

function drawable(polygons: Polygons): Polygons | undefined {
  const isWhole = (part: readonly number[]): boolean => part.length >= MIN_COORDINATES && part.length % 2 === 0;
  if (polygons.every(isWhole)) return polygons;
  const parts = polygons
    .filter((part) => part.length >= MIN_COORDINATES)
    .map((part) => part.slice(0, part.length & ~1));
  return parts.length === 0 ? undefined : parts;
}

const MIN_COORDINATES = 6;

function checkOwnId(record: unknown, kind: string, where: Where, seen: Seen): number {
  if (!isRecord(record)) return fail(where, kind, 'an object', record);
  const id = checkId(record['id'], 'id', where);
  return seen.has(id) ? fail(where, 'id', `an id that no other ${kind} has`, id) : id;
}
