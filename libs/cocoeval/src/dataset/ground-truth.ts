/** The annotations of a dataset as columns (the `gts` of pycocotools' COCOeval). */
import { Float64Column, Uint32Column, type Column, type ColumnData } from '../format/columns';
import { checkFinite, checkNumbers, type Where } from '../format/errors';
import { IdSet } from '../format/id-set';
import { ImageTable, type PackedImages } from './images';
import type { Scanned } from './json-records';
import { annotationLabel, checkAnnotationIds, checkArea, checkBox, checkCategoryId, checkCrowd } from './rules';
import { BOXES, MASKS, RecordScanner, Room } from './record-scanner';
import { Segmentations } from './segmentations';
import type { CocoCategory, CocoDataset, IouType } from '../format/types';

/** Annotations for another thread, which shares the columns. */
export interface PackedTruth {
  readonly iouType: IouType;
  readonly images: PackedImages;
  readonly categories: readonly CocoCategory[];
  readonly columns: readonly ColumnData[];
}

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
  private readonly seen = new IdSet();
  private readonly seenCategories = new Set<number>();
  private scanner: RecordScanner | undefined;
  private readonly room: Room;

  /**
   * @param points how many keypoints an object has, for 'keypoints'.
   * @param bytes of the text, if it is known.
   */
  constructor(
    readonly iouType: IouType,
    readonly images: ImageTable = new ImageTable(),
    private readonly points = 0,
    bytes = 0,
  ) {
    this.room = new Room(bytes);
  }

  static of(dataset: CocoDataset, images: ImageTable, iouType: IouType, points: number): GroundTruth {
    const truth = new GroundTruth(iouType, images, points);
    for (const category of dataset.categories) truth.addCategory(category);
    for (const annotation of dataset.annotations ?? []) truth.addAnnotation(annotation);
    truth.checkMasks();
    return truth;
  }

  static unpack({ iouType, images, categories, columns }: PackedTruth): GroundTruth {
    const truth = new GroundTruth(iouType, ImageTable.unpack(images));
    truth.categories.push(...categories);
    truth.columns.forEach((column, i) => column.adopt(columns[i] as ColumnData));
    return truth;
  }

  /** For another thread, which shares the columns. */
  pack(): PackedTruth {
    const { iouType, categories } = this;
    return { iouType, categories, images: this.images.pack(), columns: this.columns.map((column) => column.share()) };
  }

  private get columns(): Column[] {
    const { ids, imageIds, categoryIds, areas, crowd, ignored, boxes, keypoints, segmentations } = this;
    return [ids, imageIds, categoryIds, areas, crowd, ignored, boxes, keypoints, ...segmentations.columns];
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
    const index = this.length;
    const { id, imageId, categoryId } = checkAnnotationIds(annotation, index, this.images.source, this.seen);
    const where = (): string => annotationLabel(this.images.source, index, id);
    this.seen.add(id);
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
  }

  /**
   * Adds the next elements of a list's text, as many as are plain JSON of a usual form.
   * @returns how many; what comes then `images.add` or `addAnnotation` takes, or says what is wrong. Undefined where all have to
   * be parsed.
   */
  scan(key: string | null, bytes: Uint8Array): Scanned | undefined {
    if (key !== 'images' && (key !== 'annotations' || this.iouType === 'keypoints')) return undefined;
    this.scanner ??= RecordScanner.create();
    if (this.scanner === undefined) return undefined;
    return key === 'images' ? this.images.scan(bytes, this.scanner) : this.scanAnnotations(bytes, this.scanner);
  }

  private scanAnnotations(bytes: Uint8Array, scanner: RecordScanner): Scanned {
    const all = scanner.scan(bytes, this.iouType === 'segm' ? MASKS : BOXES);
    const scanned = scanner.stopBefore(all, this.noteIds(scanner.records(all.count).ids));
    const records = scanner.records(scanned.count);
    const { crowds } = records;
    this.ids.append(records.ids);
    this.imageIds.append(records.imageIds);
    this.categoryIds.append(records.categoryIds);
    this.areas.append(records.areas);
    this.crowd.append(crowds);
    this.ignored.append(crowds);
    if (this.iouType === 'bbox') this.boxes.append(records.boxes);
    else this.segmentations.append(records.segmentations);
    this.room.make(() => this.columns, scanned.end);
    return scanned;
  }

  /** @returns how many there are before one that was seen before. */
  private noteIds(ids: Float64Array): number {
    for (let i = 0; i < ids.length; i++) {
      const id = ids[i] as number;
      if (this.seen.has(id)) return i;
      this.seen.add(id);
    }
    return ids.length;
  }

  /** Once all images and annotations are here: masks must have the size of their image. */
  checkMasks(): void {
    for (let i = 0; i < this.segmentations.length; i++) {
      const image = this.images.indexOf(this.imageIds.get(i));
      if (image < 0) continue;
      this.segmentations.checkSize(i, this.images, image, () =>
        annotationLabel(this.images.source, i, this.ids.get(i)),
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
