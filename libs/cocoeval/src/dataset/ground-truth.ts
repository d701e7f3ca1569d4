import { Float64Column, Uint32Column } from '../format/columns';
import { checkFinite, checkId, checkNumbers, fail, isRecord, type Where } from '../format/errors';
import { everyImage, ImageTable, type Owns } from './images';
import { Segmentations } from './segmentations';
import type { CocoCategory, CocoDataset, IouType } from '../format/types';

/**
 * The annotations of a dataset as evaluation reads them: one entry in each column, in the order of the file.
 * Of boxes, masks and keypoints only what the kind of evaluation needs is checked and kept.
 */
export class GroundTruth {
  readonly categories: CocoCategory[] = [];
  readonly ids = new Float64Column();
  /** Image ids; annotations of images that are not listed stay in the columns and are never asked for. */
  readonly imageIds = new Float64Column();
  readonly categoryIds = new Float64Column();
  readonly areas = new Float64Column();
  readonly crowd = new Uint32Column();
  /** 1 where no detection is asked for: crowds and, for keypoints, persons without any. */
  readonly ignored = new Uint32Column();
  readonly boxes = new Float64Column();
  readonly keypoints = new Float64Column();
  readonly segmentations = new Segmentations();
  /** Ids of all annotations, also of those left out. */
  private readonly seen = new Set<number>();
  private readonly seenCategories = new Set<number>();

  /**
   * @param points how many keypoints an object has, for 'keypoints'.
   * @param owns of which images annotations are kept.
   */
  constructor(
    readonly iouType: IouType,
    readonly images: ImageTable = new ImageTable(),
    private readonly points = 0,
    private readonly owns: Owns = everyImage,
  ) {}

  static of(dataset: CocoDataset, images: ImageTable, iouType: IouType, points: number): GroundTruth {
    const truth = new GroundTruth(iouType, images, points);
    for (const category of dataset.categories) truth.addCategory(category);
    for (const annotation of dataset.annotations ?? []) truth.addAnnotation(annotation);
    truth.checkMasks();
    return truth;
  }

  get length(): number {
    return this.ids.length;
  }

  addCategory(category: unknown): void {
    this.seenCategories.add(checkCategory(category, this.categories.length, this.seenCategories));
    this.categories.push(category as unknown as CocoCategory);
  }

  addAnnotation(annotation: unknown): void {
    if (!isRecord(annotation)) return fail(() => describe(this.seen.size), 'annotation', 'an object', annotation);
    const index = this.seen.size;
    const { id, imageId, categoryId } = checkIds(annotation, index, this.seen);
    const where = (): string => describe(index, id);
    this.seen.add(id);
    if (!this.owns(imageId)) return;
    const crowd = isCrowd(annotation['iscrowd'], where);
    this.imageIds.push(imageId);
    this.categoryIds.push(categoryId);
    this.areas.push(checkArea(annotation['area'], where));
    this.crowd.push(crowd ? 1 : 0);
    this.ignored.push(crowd || (this.iouType === 'keypoints' && hasNoKeypoints(annotation, where)) ? 1 : 0);
    if (this.iouType !== 'segm') this.addBox(annotation['bbox'], where);
    if (this.iouType === 'segm') this.segmentations.push(annotation['segmentation'], where);
    if (this.iouType === 'keypoints') this.addKeypoints(annotation['keypoints'], where);
    this.ids.push(id);
  }

  /** Once all images and annotations are here: masks must have the size of their image. */
  checkMasks(): void {
    for (let i = 0; i < this.segmentations.length; i++) {
      const image = this.images.indexOf(this.imageIds.get(i));
      if (image >= 0) this.segmentations.checkSize(i, this.images, image, () => describe(i, this.ids.get(i)));
    }
  }

  private addBox(value: unknown, where: Where): void {
    const box = checkNumbers(value, 4, 'bbox', where);
    if ((box[2] as number) < 0 || (box[3] as number) < 0) fail(where, 'bbox', 'a width and height of at least 0', box);
    for (let i = 0; i < 4; i++) this.boxes.push(box[i] as number);
  }

  private addKeypoints(value: unknown, where: Where): void {
    const keypoints = checkNumbers(value, 3 * this.points, 'keypoints', where);
    for (const coordinate of keypoints) this.keypoints.push(coordinate);
  }
}

/** @returns the id of a category. @throws CocoFormatError if it has none, or one that was seen before. */
export function checkCategory(category: unknown, index: number, seen: { has(id: number): boolean }): number {
  const where = (): string => `categories[${index}]`;
  if (!isRecord(category)) return fail(where, 'category', 'an object', category);
  const id = checkId(category['id'], 'id', where);
  return seen.has(id) ? fail(where, 'id', 'an id that no other category has', id) : id;
}

/** @returns the ids of an annotation. @throws CocoFormatError if one is missing, or its own was seen before. */
export function checkIds(
  annotation: unknown,
  index: number,
  seen: { has(id: number): boolean },
): { id: number; imageId: number; categoryId: number } {
  if (!isRecord(annotation)) return fail(() => describe(index), 'annotation', 'an object', annotation);
  const id = checkId(annotation['id'], 'id', () => describe(index));
  const where = (): string => describe(index, id);
  if (seen.has(id)) fail(where, 'id', 'an id that no other annotation has', id);
  const imageId = checkId(annotation['image_id'], 'image_id', where);
  return { id, imageId, categoryId: checkId(annotation['category_id'], 'category_id', where) };
}

function describe(index: number, id?: number): string {
  return `annotations[${index}]${id === undefined ? '' : ` (id ${id})`}`;
}

/** A missing `iscrowd` counts as 0. */
function isCrowd(value: unknown, where: Where): boolean {
  if (value === undefined || value === 0 || value === false) return false;
  return value === 1 || value === true || fail(where, 'iscrowd', '0 or 1', value);
}

function checkArea(value: unknown, where: Where): number {
  const area = checkFinite(value, 'area', where);
  return area >= 0 ? area : fail(where, 'area', 'at least 0', area);
}

function hasNoKeypoints(annotation: Record<string, unknown>, where: Where): boolean {
  return checkFinite(annotation['num_keypoints'], 'num_keypoints', where) === 0;
}
