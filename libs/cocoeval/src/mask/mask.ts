/**
 * The mask API of pycocotools: the same names, the same answers bit for bit. Masks are run-length encoded (`Rle`) or
 * bitmaps. Wherever an `Rle` is read, uncompressed runs are welcome too.
 */
import { Uint32Column } from '../format/columns';
import { checkFinite, checkNumbers, fail, failWith, isRecord, type Where } from '../format/errors';
import { asBox, boxIou, boxOutline } from './boxes';
import { outlinesOf } from './outline';
import { countCrossings, MAX_COORDINATE, MAX_CROSSINGS, Rasteriser } from './polygon';
import {
  decodeRuns,
  encodeRuns,
  MAX_PIXELS,
  mergeRuns,
  packCounts,
  runsArea,
  runsBox,
  runsIou,
  spanOf,
  unpackCounts,
} from './rle';
import type { Box, Polygons, Rle, Segmentation, Size, UncompressedRle } from '../format/types';

/** A binary mask; pixel (x, y) is `data[y * width + x]`, or `data[x * height + y]` if `order` is 'column-major'. */
export interface Bitmap {
  readonly height: number;
  readonly width: number;
  readonly data: ArrayLike<number>;
  readonly order?: 'row-major' | 'column-major';
}

/** Runs of a mask with its size, checked. */
export interface Runs {
  readonly size: Size;
  readonly runs: Uint32Array;
}

/**
 * Encodes a bitmap, given as such or as rows of pixels. Values other than 0 and 1 are encoded as the COCO API does: each
 * change of value begins a run.
 */
export function encode(mask: Bitmap | readonly (readonly number[])[]): Rle;
export function encode(masks: readonly Bitmap[]): Rle[];
export function encode(mask: Bitmap | readonly (readonly number[])[] | readonly Bitmap[]): Rle | Rle[] {
  if (!Array.isArray(mask)) return encodeBitmap(mask as Bitmap);
  if (mask.length > 0 && !Array.isArray(mask[0])) return mask.map(encodeBitmap);
  const rows = mask as readonly (readonly number[])[];
  const width = rows[0]?.length ?? 0;
  rows.forEach((row, y) => checkNumbers(row, width, `row ${y}`, () => 'encode'));
  return encodeBitmap({ height: rows.length, width, data: rows.flat() });
}

/** Decodes to a row-major bitmap of 0 and 1. */
export function decode(rle: Rle | UncompressedRle): Bitmap & { readonly data: Uint8Array } {
  const { size, runs } = readRuns(rle, () => 'decode');
  const [height, width] = size;
  const data = new Uint8Array(height * width);
  decodeRuns(runs, height, width, data);
  return { height, width, data };
}

/** Number of foreground pixels. */
export function area(rle: Rle | UncompressedRle): number;
export function area(rles: readonly (Rle | UncompressedRle)[]): number[];
export function area(rle: Rle | UncompressedRle | readonly (Rle | UncompressedRle)[]): number | number[] {
  const one = (mask: unknown, where: Where): number => runsArea(spanOf(readRuns(mask, where).runs));
  return Array.isArray(rle) ? rle.map((mask, i) => one(mask, () => `area: masks[${i}]`)) : one(rle, () => 'area');
}

/** Smallest box around the foreground, in whole pixels; zeros if there is none. */
export function toBbox(rle: Rle | UncompressedRle): Box;
export function toBbox(rles: readonly (Rle | UncompressedRle)[]): Box[];
export function toBbox(rle: Rle | UncompressedRle | readonly (Rle | UncompressedRle)[]): Box | Box[] {
  const one = (mask: unknown, where: Where): Box => boxOfRuns(readRuns(mask, where));
  return Array.isArray(rle) ? rle.map((mask, i) => one(mask, () => `toBbox: masks[${i}]`)) : one(rle, () => 'toBbox');
}

/** Union of masks of one size, or their intersection. No masks at all give a mask of size 0 x 0. */
export function merge(rles: readonly (Rle | UncompressedRle)[], intersect = false): Rle {
  const masks = rles.map((mask, i) => readRuns(mask, () => `merge: masks[${i}]`));
  const first = masks[0];
  if (!first) return { size: [0, 0], counts: '' };
  const [height, width] = first.size;
  let merged = first.runs;
  for (let i = 1; i < masks.length; i++) {
    const { size, runs } = masks[i] as Runs;
    if (size[0] !== height || size[1] !== width) fail(() => `merge: masks[${i}]`, 'size', `[${first.size}]`, size);
    const out = new Uint32Column();
    mergeRuns(merged, runs, intersect, out);
    merged = out.values();
  }
  return { size: first.size, counts: packCounts(merged) };
}

/**
 * Intersection over union of every detection with every ground truth: of boxes or of masks. Against a crowd the
 * detection's own area stands in place of the union. Masks of different size give -1 where their boxes overlap.
 * @returns rows by detection, columns by ground truth; [] if either side is empty.
 */
export function iou(
  dt: readonly (readonly number[])[] | readonly (Rle | UncompressedRle)[],
  gt: readonly (readonly number[])[] | readonly (Rle | UncompressedRle)[],
  iscrowd: readonly (number | boolean)[],
): number[][] {
  if (iscrowd.length !== gt.length) fail(() => 'iou', 'iscrowd', `one entry for each of ${gt.length} objects`, iscrowd);
  if (dt.length === 0 || gt.length === 0) return [];
  const boxes = [...dt, ...gt].every(Array.isArray);
  if (!boxes && [...dt, ...gt].some(Array.isArray))
    fail(() => 'iou', 'dt, gt', 'only boxes or only masks', [dt[0], gt[0]]);
  const read = boxes ? readBoxes : readMasks;
  const left = read(dt, 'dt');
  const right = read(gt, 'gt');
  return left.map((d) => right.map((g, j) => maskIou(d, g, Boolean(iscrowd[j]))));
}

/** Rasterises an object's polygons, one mask for each part. */
export function fromPolygons(polygons: Polygons, height: number, width: number): Rle[] {
  const where = (): string => 'fromPolygons';
  const size = checkSize([height, width], where);
  checkCrossings(checkPolygons(polygons, where), size[1], where);
  const rasteriser = new Rasteriser();
  return polygons.map((polygon) => {
    const runs = new Uint32Column();
    rasteriser.polygon({ coordinates: polygon, start: 0, points: polygon.length >> 1 }, size, runs);
    return { size, counts: packCounts(runs.values()) };
  });
}

/** Masks of boxes `[x, y, width, height]`, drawn as polygons. */
export function fromBoxes(boxes: readonly (readonly number[])[], height: number, width: number): Rle[] {
  const where = (): string => 'fromBoxes';
  return boxes.flatMap((box, i) => {
    const outline = boxOutline(asBox(checkNumbers(box, 4, `boxes[${i}]`, where)));
    return fromPolygons([outline], height, width);
  });
}

/** Outlines of a mask's regions along the edges of pixels, which rasterise to the same mask; holes are filled. */
export function toPolygons(rle: Rle | UncompressedRle): number[][] {
  const { data, width, height } = decode(rle);
  return outlinesOf(data, width, height);
}

/** Packs uncompressed runs into a counts string, unchanged. */
export function fromUncompressed(rle: UncompressedRle): Rle {
  return repack(rle);
}

/** Unpacks a counts string into its runs, unchanged. */
export function toUncompressed(rle: Rle): UncompressedRle {
  const { size, runs } = readRuns(rle, () => 'toUncompressed');
  return { size, counts: [...runs] };
}

/**
 * pycocotools' way in: polygons to one mask a part, uncompressed runs to a mask (or a list to a list).
 * Boxes, which cannot be told from polygons of two points, go through `fromBoxes`.
 */
export function frPyObjects(object: UncompressedRle, height: number, width: number): Rle;
export function frPyObjects(objects: Polygons | readonly UncompressedRle[], height: number, width: number): Rle[];
export function frPyObjects(object: unknown, height: number, width: number): Rle | Rle[] {
  if (isRecord(object)) return repack(object);
  if (Array.isArray(object) && isRecord(object[0])) return object.map(repack);
  return fromPolygons(object as Polygons, height, width);
}

/** The mask of an annotation's segmentation, whatever its form. */
export function fromSegmentation(segmentation: Segmentation, height: number, width: number): Rle {
  if (Array.isArray(segmentation)) return merge(fromPolygons(segmentation as Polygons, height, width));
  return repack(segmentation);
}

/** A mask's size. @throws CocoFormatError unless both sides are whole and the pixels can be counted in 31 bits. */
export function checkSize(value: unknown, where: Where, field = 'size'): Size {
  const whole = (n: unknown): boolean => Number.isInteger(n) && (n as number) >= 0;
  if (!Array.isArray(value) || value.length !== 2 || !value.every(whole)) {
    return fail(where, field, '[height, width] in whole pixels', value);
  }
  const [height, width] = value as [number, number];
  if (height * width > MAX_PIXELS) fail(where, field, `at most ${MAX_PIXELS} pixels`, value);
  return [height, width];
}

/**
 * Appends the runs of a compressed or uncompressed mask after checking that they fill its size.
 * @param path what stands before the names of its fields: '' or e.g. `segmentation.`.
 */
export function appendRuns(rle: Record<string, unknown>, out: Uint32Column, where: Where, path = ''): Size {
  const size = checkSize(rle['size'], where, `${path}size`);
  const { counts } = rle;
  const field = `${path}counts`;
  const refuse: Refuse = (expected, received) => fail(where, field, expected, received);
  const sum = typeof counts === 'string' ? appendPacked(counts, out, refuse) : appendPlain(counts, out, refuse);
  if (sum !== size[0] * size[1]) fail(where, field, `runs that sum to ${size[0]} x ${size[1]} pixels`, sum);
  return size;
}

/** @throws CocoFormatError unless the value is a list of parts of which the first has three points (or, oddly, 5 numbers). */
export function checkPolygons(value: unknown, where: Where): Polygons {
  if (!Array.isArray(value)) return fail(where, 'segmentation', 'polygons or a run-length mask', value);
  if (value.length === 0) return fail(where, 'segmentation', 'at least one polygon', value);
  value.forEach((part: unknown, i) => {
    const field = `segmentation[${i}]`;
    if (!Array.isArray(part)) fail(where, field, 'a polygon [x0, y0, x1, y1, ...]', part);
    if (i === 0 && part.length < 5) fail(where, field, 'a polygon of at least three points', part);
    for (const coordinate of part) {
      if (Math.abs(checkFinite(coordinate, field, where)) > MAX_COORDINATE) {
        fail(where, field, `coordinates within ${MAX_COORDINATE}`, coordinate);
      }
    }
  });
  return value as Polygons;
}

type Refuse = (expected: string, received: unknown) => never;

/** @throws CocoFormatError if outlines are so long that drawing them would take gigabytes. */
export function checkCrossings(polygons: Polygons, width: number, where: Where): void {
  let count = 0;
  for (const part of polygons)
    count += countCrossings({ coordinates: part, start: 0, points: part.length >> 1 }, width);
  refuseCrossings(count, where);
}

export function refuseCrossings(count: number, where: Where): void {
  if (count <= MAX_CROSSINGS) return;
  fail(where, 'segmentation', `outlines that cross at most ${MAX_CROSSINGS} pixel columns`, Math.round(count));
}

function appendPacked(counts: string, out: Uint32Column, refuse: Refuse): number {
  try {
    return unpackCounts(counts, out);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return refuse(error.message, counts);
  }
}

function appendPlain(counts: unknown, out: Uint32Column, refuse: Refuse): number {
  if (!Array.isArray(counts)) return refuse('a string or a list of runs', counts);
  let sum = 0;
  for (const run of counts) {
    if (!Number.isInteger(run) || run < 0 || run > MAX_PIXELS) refuse('whole runs of at least 0', run);
    out.push(run);
    sum += run;
  }
  return sum;
}

function readRuns(rle: unknown, where: Where): Runs {
  if (!isRecord(rle)) return fail(where, 'mask', '{ size, counts }', rle);
  const out = new Uint32Column();
  const size = appendRuns(rle, out, where);
  return { size, runs: out.values() };
}

function repack(rle: unknown): Rle {
  const { size, runs } = readRuns(rle, () => 'fromUncompressed');
  return { size, counts: packCounts(runs) };
}

function boxOfRuns({ size, runs }: Runs): Box {
  const out = new Float64Array(4);
  runsBox(spanOf(runs), size[0], out);
  return asBox(out);
}

function encodeBitmap({ height, width, data, order = 'row-major' }: Bitmap): Rle {
  const where = (): string => 'encode';
  const size = checkSize([height, width], where);
  if (data.length !== height * width) {
    failWith(where, 'data', `${height} x ${width} pixels in ${order} order`, `${data.length} values`);
  }
  const runs = new Uint32Column();
  encodeRuns(order === 'row-major' ? transpose(data, height, width) : data, runs);
  return { size, counts: packCounts(runs.values()) };
}

function transpose(rows: ArrayLike<number>, height: number, width: number): Float64Array {
  const columns = new Float64Array(height * width);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) columns[x * height + y] = rows[y * width + x] as number;
  }
  return columns;
}

interface Region {
  readonly box: Box;
  readonly mask?: Runs;
}

function readBoxes(boxes: readonly unknown[], side: string): Region[] {
  return boxes.map((box, i) => ({ box: asBox(checkNumbers(box, 4, 'box', () => `iou: ${side}[${i}]`)) }));
}

function readMasks(masks: readonly unknown[], side: string): Region[] {
  return masks.map((rle, i) => {
    const mask = readRuns(rle, () => `iou: ${side}[${i}]`);
    return { box: boxOfRuns(mask), mask };
  });
}

function maskIou(dt: Region, gt: Region, crowd: boolean): number {
  const boxes = boxIou(dt.box, 0, gt.box, 0, crowd);
  if (!dt.mask || !gt.mask || !(boxes > 0)) return boxes;
  if (dt.mask.size[0] !== gt.mask.size[0] || dt.mask.size[1] !== gt.mask.size[1]) return -1;
  return runsIou(spanOf(dt.mask.runs), spanOf(gt.mask.runs), crowd);
}
