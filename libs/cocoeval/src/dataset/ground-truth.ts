/** The annotations of a dataset as columns (the `gts` of pycocotools' COCOeval). */
import { Float64Column, Uint32Column } from '../format/columns';
import { checkFinite, checkNumbers, type Where } from '../format/errors';
import type { ByteScanner } from './byte-scanner';
import { everyImage, ImageTable, type Owns } from './images';
import { annotationLabel, checkAnnotationIds, checkArea, checkBox, checkCategoryId, checkCrowd } from './rules';
import { RecordScanner } from './record-scanner';
import { Segmentations } from './segmentations';
import type { CocoCategory, CocoDataset, IouType } from '../format/types';

const ANNOTATION_NUMBERS = ['id', 'image_id', 'category_id', 'iscrowd', 'area'];
const [ID, IMAGE, CATEGORY, CROWD, AREA] = [0, 1, 2, 3, 4];

/**
 * The annotations of a dataset as evaluation reads them: one entry in each column, in the order of the file.
 * Of boxes, masks and keypoints only what the kind of evaluation needs is checked and kept.
 */
export class GroundTruth {
  readonly categories: CocoCategory[] = [];
  readonly ids = new Float64Column();
  /** Positions in the file, which are not the indices where annotations are left out. */
  private readonly places = new Uint32Column();
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
  private readonly record: RecordScanner;

  /**
   * @param points how many keypoints an object has, for 'keypoints'.
   * @param owns of which images annotations are kept.
   */
  constructor(
    readonly iouType: IouType,
    readonly images: ImageTable = new ImageTable(),
    private readonly points = 0,
    private readonly owns: Owns = everyImage,
  ) {
    const masks = iouType === 'segm' ? this.segmentations : undefined;
    this.record = new RecordScanner(ANNOTATION_NUMBERS, iouType !== 'segm', masks);
  }

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
    const where = (): string => `${this.images.source}categories[${this.categories.length}]`;
    this.seenCategories.add(checkCategoryId(category, where, this.seenCategories));
    this.categories.push(category as CocoCategory);
  }

  addAnnotation(annotation: unknown): void {
    const index = this.seen.size;
    const { id, imageId, categoryId } = checkAnnotationIds(annotation, index, this.images.source, this.seen);
    const where = (): string => annotationLabel(this.images.source, index, id);
    this.seen.add(id);
    if (!this.owns(imageId)) return;
    const record = annotation as Record<string, unknown>;
    const crowd = checkCrowd(record['iscrowd'], where);
    this.imageIds.push(imageId);
    this.categoryIds.push(categoryId);
    this.areas.push(checkArea(record['area'], where));
    this.crowd.push(crowd ? 1 : 0);
    this.ignored.push(crowd || (this.iouType === 'keypoints' && hasNoKeypoints(record, where)) ? 1 : 0);
    if (this.iouType !== 'segm') for (const value of checkBox(record['bbox'], where)) this.boxes.push(value);
    if (this.iouType === 'segm') this.segmentations.push(record['segmentation'], where);
    if (this.iouType === 'keypoints') this.addKeypoints(record['keypoints'], where);
    this.ids.push(id);
    this.places.push(index);
  }

  /**
   * Adds the next annotation where it is plain JSON of a usual form.
   * @returns false, and adds nothing, where it is not or breaks a rule: `addAnnotation` then says which.
   */
  scanAnnotation(scanner: ByteScanner): boolean {
    if (this.iouType === 'keypoints') return false;
    const masks = this.segmentations.length;
    const isRight = this.record.scan(scanner) && scanner.isAtElementEnd && this.addScanned(masks);
    if (!isRight) this.segmentations.truncate(masks);
    return isRight;
  }

  /** @param masks how many there were before. */
  private addScanned(masks: number): boolean {
    const { record } = this;
    const { numbers, box } = record;
    for (const key of [ID, IMAGE, CATEGORY]) if (!record.has(key) || !Number.isSafeInteger(numbers[key])) return false;
    const id = numbers[ID] as number;
    const crowd = record.has(CROWD) ? (numbers[CROWD] as number) : 0;
    const isRight = (crowd === 0 || crowd === 1) && record.has(AREA) && (numbers[AREA] as number) >= 0;
    if (!isRight || this.seen.has(id)) return false;
    if (this.iouType === 'segm' ? !record.hasMask : !record.hasBox || (box[2] as number) < 0 || (box[3] as number) < 0)
      return false;
    const index = this.seen.size;
    this.seen.add(id);
    if (!this.owns(numbers[IMAGE] as number)) {
      this.segmentations.truncate(masks);
      return true;
    }
    this.imageIds.push(numbers[IMAGE] as number);
    this.categoryIds.push(numbers[CATEGORY] as number);
    this.areas.push(numbers[AREA] as number);
    this.crowd.push(crowd);
    this.ignored.push(crowd);
    if (this.iouType !== 'segm') this.boxes.append(box);
    this.ids.push(id);
    this.places.push(index);
    return true;
  }

  /** Once all images and annotations are here: masks must have the size of their image. */
  checkMasks(): void {
    for (let i = 0; i < this.segmentations.length; i++) {
      const image = this.images.indexOf(this.imageIds.get(i));
      if (image < 0) continue;
      this.segmentations.checkSize(i, this.images, image, () =>
        annotationLabel(this.images.source, this.places.get(i), this.ids.get(i)),
      );
    }
  }

  private addKeypoints(value: unknown, where: Where): void {
    const keypoints = checkNumbers(value, 3 * this.points, 'keypoints', where);
    for (const coordinate of keypoints) this.keypoints.push(coordinate);
  }
}

function hasNoKeypoints(annotation: Record<string, unknown>, where: Where): boolean {
  return checkFinite(annotation['num_keypoints'], 'num_keypoints', where) === 0;
}
