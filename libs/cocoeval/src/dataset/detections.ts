/** Detections as columns (the `dts` of pycocotools' COCOeval). */
import { asBox, boxOutline } from '../mask/boxes';
import { Float64Column, Uint32Column, type Column, type ColumnData } from '../format/columns';
import { checkFinite, checkId, checkNumbers, fail, failWith, isRecord, show, type Where } from '../format/errors';
import type { GroundTruth } from './ground-truth';
import type { ImageTable } from './images';
import type { Scanned } from './json-records';
import { runsArea, runsBox } from '../mask/rle';
import { RecordScanner, resultsOf, Room } from './record-scanner';
import type { ScannedResults } from './scanned-results';
import { Segmentations } from './segmentations';
import type { Box, IouType } from '../format/types';

/** What the first result of a list has, by the scanner's numbers. */
const KINDS: readonly (ResultKind | undefined)[] = [undefined, 'bbox', 'segmentation'];

/** What the first result of a list has, and so what all must have; it decides what an area is, as in `COCO.loadRes`. */
type ResultKind = 'bbox' | 'segmentation' | 'keypoints';

interface DetectionsOptions {
  /** How many keypoints a detection has, for 'keypoints'. */
  readonly points?: number;
  /** What the list is called in errors, default 'results'. */
  readonly name?: string;
  /** How long the text is, if it is known. */
  readonly bytes?: number;
}

/** Detections for another thread, which shares the columns. */
export interface PackedDetections {
  readonly kind: ResultKind | undefined;
  readonly columns: readonly ColumnData[];
}

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
  private scanner: RecordScanner | undefined;
  private readonly room: Room;

  private readonly points: number;
  private readonly list: string;

  constructor(
    readonly images: ImageTable,
    readonly iouType: IouType,
    { points = 0, name = 'results', bytes = 0 }: DetectionsOptions = {},
  ) {
    this.points = points;
    this.list = name;
    this.room = new Room(bytes);
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

  /** Results that were read before the images were known; undefined where one is of no image, or has not its size. */
  static fromScanned(results: ScannedResults, { images, iouType }: GroundTruth): Detections | undefined {
    const { kind, imageIds, categoryIds, scores, areas, boxes, segmentations } = results;
    const detections = new Detections(images, iouType);
    const indices = new Int32Array(imageIds.length);
    for (let i = 0; i < indices.length; i++) indices[i] = images.indexOf(imageIds.get(i));
    if (detections.firstWrong(indices, segmentations.sizes.values()) < indices.length) return undefined;
    detections.kind = KINDS[kind];
    detections.imageIndices.adopt(new Uint32Array(indices));
    for (const [own, column] of [
      [detections.categoryIds, categoryIds],
      [detections.scores, scores],
      [detections.areas, areas],
      [detections.boxes, boxes],
    ] as const) {
      own.adopt(column.values());
    }
    detections.segmentations.columns.forEach((own, i) => own.adopt((segmentations.columns[i] as Column).values()));
    return detections;
  }

  static unpack({ images, iouType }: GroundTruth, { kind, columns }: PackedDetections): Detections {
    const detections = new Detections(images, iouType);
    detections.kind = kind;
    detections.columns.forEach((column, i) => column.adopt(columns[i] as ColumnData));
    return detections;
  }

  /** For another thread, which shares the columns. */
  pack(): PackedDetections {
    return { kind: this.kind, columns: this.columns.map((column) => column.share()) };
  }

  private get columns(): Column[] {
    const { imageIndices, categoryIds, scores, areas, boxes, keypoints, segmentations } = this;
    return [imageIndices, categoryIds, scores, areas, boxes, keypoints, ...segmentations.columns];
  }

  /** Adds one result; `imageId` stands in for a missing `image_id`. */
  add(result: unknown, imageId?: number): void {
    const index = this.length;
    const where = (): string => describe(this.list, index, result);
    if (!isRecord(result)) return fail(where, 'result', 'an object', result);
    const image = this.findImage(result['image_id'] ?? imageId, where);
    const category = checkId(result['category_id'], 'category_id', where);
    const score = checkFinite(result['score'], 'score', where);
    this.kind ??= kindOf(result, where);
    if (this.kind === 'bbox') this.addBoxResult(result, image, where);
    else if (this.kind === 'segmentation') this.addMaskResult(result, image, where);
    else this.addKeypointResult(result, where);
    if (this.iouType === 'keypoints') this.addKeypoints(result['keypoints'], where);
    this.imageIndices.push(image);
    this.categoryIds.push(category);
    this.scores.push(score);
  }

  /**
   * Adds the next results of a list's text, as many as are plain JSON of a usual form.
   * @returns how many; what comes then `add` takes, or says what is wrong. Undefined where all have to be parsed.
   */
  scan(bytes: Uint8Array): Scanned | undefined {
    const { iouType, kind } = this;
    if (iouType === 'keypoints' || kind === 'keypoints') return undefined;
    this.scanner ??= RecordScanner.create();
    const { scanner } = this;
    if (scanner === undefined) return undefined;
    const all = scanner.scan(bytes, resultsOf(iouType), KINDS.indexOf(kind));
    const images = scanner.imageIndices(this.images.ids, all.count);
    const scanned = scanner.stopBefore(all, this.firstWrong(images, scanner.records(all.count).sizes));
    if (scanned.count > 0) this.append(scanner, images.subarray(0, scanned.count));
    this.room.make(() => this.columns, scanned.end);
    return scanned;
  }

  /** The first result of an image that there is not, or with a mask that has not the image's size. */
  private firstWrong(images: Int32Array, sizes: Uint32Array): number {
    const unknown = images.indexOf(-1);
    const known = unknown < 0 ? images.length : unknown;
    if (sizes.length === 0) return known;
    for (let i = 0; i < known; i++) {
      const size = [sizes[2 * i] as number, sizes[2 * i + 1] as number] as const;
      if (!this.images.hasSize(images[i] as number, size)) return i;
    }
    return known;
  }

  private append(scanner: RecordScanner, images: Int32Array): void {
    const records = scanner.records(images.length);
    this.kind = KINDS[scanner.kind];
    this.imageIndices.append(new Uint32Array(images.buffer, images.byteOffset, images.length));
    this.categoryIds.append(records.categoryIds);
    this.scores.append(records.scores);
    this.areas.append(records.areas);
    if (this.iouType === 'bbox') this.boxes.append(records.boxes);
    else this.segmentations.append(records.segmentations);
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
