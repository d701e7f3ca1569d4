/** Detections as columns (the `dts` of pycocotools' COCOeval). */
import { asBox, boxOutline } from '../mask/boxes';
import { Float64Column, Uint32Column } from '../format/columns';
import { checkFinite, checkId, checkNumbers, fail, failWith, isRecord, show, type Where } from '../format/errors';
import type { ByteScanner } from './byte-scanner';
import type { GroundTruth } from './ground-truth';
import { everyImage, type ImageTable, type Owns } from './images';
import { runsArea, runsBox } from '../mask/rle';
import { RecordScanner } from './record-scanner';
import { Segmentations } from './segmentations';
import type { Box, IouType } from '../format/types';

/** What the first result of a list has, and so what all must have; it decides what an area is, as in `COCO.loadRes`. */
type ResultKind = 'bbox' | 'segmentation' | 'keypoints';

interface DetectionsOptions {
  /** How many keypoints a detection has, for 'keypoints'. */
  readonly points?: number;
  /** What the list is called in errors, default 'results'. */
  readonly name?: string;
  /** Of which images detections are kept, default all. */
  readonly owns?: Owns;
}

const RESULT_NUMBERS = ['image_id', 'category_id', 'score'];
const [IMAGE, CATEGORY, SCORE] = [0, 1, 2];

/** Detections as evaluation reads them: one entry in each column, in the order of the list. Their ids are 1, 2, ... */
export class Detections {
  /** Undefined as long as there is no detection. */
  kind: ResultKind | undefined;
  readonly imageIndices = new Uint32Column();
  readonly categoryIds = new Float64Column();
  readonly scores = new Float64Column();
  /** Box or mask area in square pixels, or that of the box around all keypoints. */
  readonly areas = new Float64Column();
  readonly boxes = new Float64Column();
  readonly keypoints = new Float64Column();
  readonly segmentations = new Segmentations();
  /** For masks of which only area and box are wanted. */
  private readonly scratch = new Segmentations();
  private readonly runs = new Uint32Column();
  private readonly box = new Float64Array(4);
  private readonly record: RecordScanner;
  /** How many were given, also those left out. */
  private given = 0;

  private readonly points: number;
  private readonly list: string;
  private readonly owns: Owns;

  constructor(
    readonly images: ImageTable,
    readonly iouType: IouType,
    { points = 0, name = 'results', owns = everyImage }: DetectionsOptions = {},
  ) {
    this.points = points;
    this.list = name;
    this.owns = owns;
    this.record = new RecordScanner(RESULT_NUMBERS, true, iouType === 'segm' ? this.segmentations : undefined);
  }

  get length(): number {
    return this.scores.length;
  }

  /** Detections of a dataset's images. */
  static of(results: readonly unknown[], { images, iouType }: GroundTruth, points: number): Detections {
    const detections = new Detections(images, iouType, { points });
    for (const result of results) detections.add(result);
    return detections;
  }

  /** Adds one result; `imageId` stands in for a missing `image_id`. */
  add(result: unknown, imageId?: number): void {
    const index = this.given++;
    const where = (): string => describe(this.list, index, result);
    if (!isRecord(result)) return fail(where, 'result', 'an object', result);
    const image = this.findImage(result['image_id'] ?? imageId, where);
    const category = checkId(result['category_id'], 'category_id', where);
    const score = checkFinite(result['score'], 'score', where);
    this.kind ??= kindOf(result, where);
    if (!this.owns(this.images.ids[image] as number)) return;
    if (this.kind === 'bbox') this.addBoxResult(result, image, where);
    else if (this.kind === 'segmentation') this.addMaskResult(result, image, where);
    else this.addKeypointResult(result, where);
    if (this.iouType === 'keypoints') this.addKeypoints(result['keypoints'], where);
    this.imageIndices.push(image);
    this.categoryIds.push(category);
    this.scores.push(score);
  }

  /**
   * Adds the next result where it is plain JSON of a usual form.
   * @returns false, and adds nothing, where it is not or breaks a rule: `add` then says which.
   */
  scan(scanner: ByteScanner): boolean {
    if (this.iouType === 'keypoints') return false;
    const masks = this.segmentations.length;
    const isRight = this.record.scan(scanner) && scanner.isAtElementEnd && this.addScanned();
    if (!isRight) this.segmentations.truncate(masks);
    return isRight;
  }

  private addScanned(): boolean {
    const { record, images, segmentations } = this;
    if (!record.has(IMAGE) || !record.has(CATEGORY) || !record.has(SCORE)) return false;
    const image = images.indexOf(record.numbers[IMAGE] as number);
    const category = record.numbers[CATEGORY] as number;
    const kind = this.kind ?? (record.hasBox ? 'bbox' : 'segmentation');
    const isRight = this.iouType === 'bbox' ? kind === 'bbox' : record.hasMask && kind !== 'keypoints';
    if (!isRight || image < 0 || !Number.isSafeInteger(category) || (kind === 'bbox' && !record.hasBox)) return false;
    const mask = segmentations.length - 1;
    if (this.iouType === 'segm' && !images.hasSize(image, segmentations.sizeOf(mask))) return false;
    this.given++;
    this.kind = kind;
    if (!this.owns(images.ids[image] as number)) {
      if (this.iouType === 'segm') segmentations.truncate(mask);
      return true;
    }
    if (kind === 'bbox') this.addBox(asBox(record.box), (record.box[2] as number) * (record.box[3] as number));
    else this.areas.push(segmentations.area(mask));
    this.imageIndices.push(image);
    this.categoryIds.push(category);
    this.scores.push(record.numbers[SCORE] as number);
    return true;
  }

  private findImage(id: unknown, where: Where): number {
    const index = typeof id === 'number' ? this.images.indexOf(id) : -1;
    return index >= 0 ? index : fail(where, 'image_id', 'the id of an image of the ground truth', id);
  }

  private addBoxResult(result: Record<string, unknown>, image: number, where: Where): void {
    const box = asBox(checkNumbers(result['bbox'], 4, 'bbox', where));
    this.addBox(box, box[2] * box[3]);
    if (this.iouType !== 'segm') return;
    this.segmentations.push(result['segmentation'] ?? [boxOutline(box)], where);
    this.segmentations.checkSize(this.segmentations.length - 1, this.images, image, where);
  }

  private addMaskResult(result: Record<string, unknown>, image: number, where: Where): void {
    const masks = this.iouType === 'segm' ? this.segmentations : this.scratch;
    this.scratch.truncate(0);
    masks.push(result['segmentation'], where);
    masks.checkSize(masks.length - 1, this.images, image, where);
    const size = this.images.requireSize(image);
    this.runs.length = 0;
    masks.rasterise(masks.length - 1, size, this.runs);
    const runs = { data: this.runs.data, start: 0, end: this.runs.length };
    const area = runsArea(runs);
    if (this.iouType === 'segm') {
      this.areas.push(area);
      return;
    }
    if (result['bbox'] === undefined) runsBox(runs, size[0], this.box);
    else this.box.set(checkNumbers(result['bbox'], 4, 'bbox', where));
    this.addBox(asBox(this.box), area);
  }

  private addKeypointResult(result: Record<string, unknown>, where: Where): void {
    const keypoints = checkNumbers(result['keypoints'], undefined, 'keypoints', where);
    if (keypoints.length === 0 || keypoints.length % 3 !== 0) {
      failWith(where, 'keypoints', 'x, y and visibility of each point', `${keypoints.length} numbers`);
    }
    let [x0, y0, x1, y1] = [Infinity, Infinity, -Infinity, -Infinity];
    for (let i = 0; i < keypoints.length; i += 3) {
      const [x, y] = [keypoints[i] as number, keypoints[i + 1] as number];
      [x0, y0, x1, y1] = [Math.min(x0, x), Math.min(y0, y), Math.max(x1, x), Math.max(y1, y)];
    }
    if (this.iouType === 'segm') fail(where, 'segmentation', 'a mask, to evaluate masks', undefined);
    this.addBox([x0, y0, x1 - x0, y1 - y0], (x1 - x0) * (y1 - y0));
  }

  private addBox(box: Box, area: number): void {
    this.areas.push(area);
    if (this.iouType === 'bbox') for (const value of box) this.boxes.push(value);
  }

  private addKeypoints(value: unknown, where: Where): void {
    const keypoints = checkNumbers(value, 3 * this.points, 'keypoints', where);
    for (const coordinate of keypoints) this.keypoints.push(coordinate);
  }
}

function kindOf(result: Record<string, unknown>, where: Where): ResultKind {
  const box = result['bbox'];
  if (box !== undefined && !(Array.isArray(box) && box.length === 0)) return 'bbox';
  if (result['segmentation'] !== undefined) return 'segmentation';
  if (result['keypoints'] !== undefined) return 'keypoints';
  return fail(where, 'bbox', 'a bbox, a segmentation or keypoints', undefined);
}

function describe(list: string, index: number, result: unknown): string {
  const image = isRecord(result) ? result['image_id'] : undefined;
  return `${list}[${index}]${image === undefined ? '' : ` (image_id ${show(image)})`}`;
}
