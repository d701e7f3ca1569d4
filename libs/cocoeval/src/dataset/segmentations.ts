/** Segmentations of many objects as columns. */
import { ByteColumn, Float64Column, Uint32Column } from '../format/columns';
import { isRecord, type Where } from '../format/errors';
import { type ByteScanner, keysOf } from './byte-scanner';
import type { ImageTable } from './images';
import { checkMaskSize } from './rules';
import { appendRuns, checkPolygons, refuseCrossings } from '../mask/mask';
import { countCrossings, MAX_COORDINATE, MAX_CROSSINGS, Rasteriser } from '../mask/polygon';
import { MAX_PIXELS, runsArea, unpackCountBytes } from '../mask/rle';
import type { Size } from '../format/types';

const POLYGONS = 0;
const RUNS = 1;

const RLE_KEYS = keysOf('size', 'counts');
const [SIZE, COUNTS] = [0, 1];

/** Segmentations of many objects in a few typed arrays: polygons as coordinates, masks as runs. */
export class Segmentations {
  private readonly kinds = new Uint32Column();
  /** Object i: `runs[ends[i - 1]]` to `runs[ends[i] - 1]`, its mask's runs or the lengths of its polygons. */
  private readonly ends = new Uint32Column();
  private readonly runs = new Uint32Column();
  private readonly coordinateEnds = new Uint32Column();
  private readonly coordinates = new Float64Column();
  /** Height and width of a mask; of polygons 0. */
  private readonly sizes = new Uint32Column();
  private readonly rasteriser = new Rasteriser();
  /** Work space of `scan`. */
  private readonly counts = new ByteColumn();
  private readonly scannedSize = new Float64Array(2);

  get length(): number {
    return this.ends.length;
  }

  /** Forgets all but the first ones. */
  truncate(count: number): void {
    this.runs.length = startOf(count, this.ends);
    this.coordinates.length = startOf(count, this.coordinateEnds);
    this.kinds.length = count;
    this.ends.length = count;
    this.coordinateEnds.length = count;
    this.sizes.length = 2 * count;
  }

  /** Checks and stores a segmentation. */
  push(segmentation: unknown, where: Where): void {
    let size: Size = [0, 0];
    if (isRecord(segmentation)) {
      size = appendRuns(segmentation, this.runs, where, 'segmentation.');
      this.kinds.push(RUNS);
    } else {
      for (const polygon of checkPolygons(segmentation, where)) {
        this.runs.push(polygon.length);
        this.coordinates.reserve(polygon.length);
        for (let i = 0; i < polygon.length; i++) this.coordinates.push(polygon[i] as number);
      }
      this.kinds.push(POLYGONS);
    }
    this.close(size);
  }

  /**
   * Stores a segmentation that is plain JSON.
   * @returns false, and stores nothing, where it is not or breaks a rule that `push` checks.
   */
  scan(scanner: ByteScanner): boolean {
    const count = this.length;
    const isRight = scanner.isAtList ? this.scanPolygons(scanner) : this.scanRuns(scanner);
    if (!isRight) this.truncate(count);
    return isRight;
  }

  /** Height and width of a mask of runs; zeros for polygons. */
  sizeOf(index: number): Size {
    return [this.sizes.get(2 * index), this.sizes.get(2 * index + 1)];
  }

  /** Pixels of an object that has a mask of runs. */
  area(index: number): number {
    return runsArea({ data: this.runs.data, start: startOf(index, this.ends), end: this.ends.get(index) });
  }

  /** @throws CocoFormatError unless the image has a size, and a mask has it too. */
  checkSize(index: number, images: ImageTable, image: number, where: Where): void {
    const size = images.requireSize(image);
    if (this.kinds.get(index) === POLYGONS) return this.checkOutlines(index, size[1], where);
    checkMaskSize(this.sizeOf(index), size, images.ids[image] as number, where);
  }

  /** Appends the runs of an object's mask in an image of the given size. */
  rasterise(index: number, size: Size, out: Uint32Column): void {
    const firstPart = startOf(index, this.ends);
    const endPart = this.ends.get(index);
    if (this.kinds.get(index) === RUNS) {
      out.append(this.runs.data.subarray(firstPart, endPart));
      return;
    }
    const start = startOf(index, this.coordinateEnds);
    const lengths = this.runs.data;
    this.rasteriser.objectRuns({ coordinates: this.coordinates.data, start, lengths, firstPart, endPart }, size, out);
  }

  private close(size: Size): void {
    this.ends.push(this.runs.length);
    this.coordinateEnds.push(this.coordinates.length);
    this.sizes.push(size[0]);
    this.sizes.push(size[1]);
  }

  private scanPolygons(scanner: ByteScanner): boolean {
    this.kinds.push(POLYGONS);
    scanner.openList();
    let isFirst = true;
    do {
      if (!scanner.openList()) return false;
      const first = this.coordinates.length;
      do {
        if (!scanner.number() || Math.abs(scanner.value) > MAX_COORDINATE) return false;
        this.coordinates.push(scanner.value);
      } while (scanner.comma());
      const length = this.coordinates.length - first;
      if ((isFirst && length < 5) || !scanner.closeList()) return false;
      this.runs.push(length);
      isFirst = false;
    } while (scanner.comma());
    this.close([0, 0]);
    return scanner.closeList();
  }

  private scanRuns(scanner: ByteScanner): boolean {
    this.kinds.push(RUNS);
    const size = this.scannedSize;
    let sum = -1;
    size.fill(-1);
    if (!scanner.openObject()) return false;
    do {
      const key = scanner.key(RLE_KEYS);
      if (key === SIZE && size[0] === -1) {
        if (!scanner.numbers(2, size)) return false;
      } else if (key === COUNTS && sum < 0) {
        sum = scanner.isAtList ? this.scanPlainCounts(scanner) : this.scanPackedCounts(scanner);
        if (sum < 0) return false;
      } else if (key < RLE_KEYS.length || !scanner.skipValue()) return false;
    } while (scanner.comma());
    const [height, width] = [size[0] as number, size[1] as number];
    const isSize = Number.isInteger(height) && Number.isInteger(width) && height >= 0 && width >= 0;
    if (!isSize || height * width > MAX_PIXELS || sum !== height * width) return false;
    this.close([height, width]);
    return scanner.closeObject();
  }

  /** @returns the sum of the runs, -1 where they break a rule. */
  private scanPackedCounts(scanner: ByteScanner): number {
    const { counts } = this;
    counts.length = 0;
    return scanner.text(counts) ? sumOrNone(() => unpackCountBytes(counts.data, counts.length, this.runs)) : -1;
  }

  private scanPlainCounts(scanner: ByteScanner): number {
    let sum = 0;
    scanner.openList();
    if (scanner.closeList()) return sum;
    do {
      if (!scanner.number()) return -1;
      const run = scanner.value;
      if (!Number.isInteger(run) || run < 0 || run > MAX_PIXELS) return -1;
      this.runs.push(run);
      sum += run;
    } while (scanner.comma());
    return scanner.closeList() ? sum : -1;
  }

  /** Of most outlines the number of points is enough to know that they cross few columns. */
  private checkOutlines(index: number, width: number, where: Where): void {
    const start = startOf(index, this.coordinateEnds);
    const points = (this.coordinateEnds.get(index) - start) >> 1;
    if (points * (width + 1) <= MAX_CROSSINGS) return;
    refuseCrossings(countCrossings({ coordinates: this.coordinates.data, start, points }, width), where);
  }
}

/** What breaks a rule is read again by `push`, which says what it is. */
function sumOrNone(unpack: () => number): number {
  try {
    return unpack();
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return -1;
  }
}

function startOf(index: number, ends: Uint32Column): number {
  return index === 0 ? 0 : ends.get(index - 1);
}
