/** Segmentations of many objects as columns. */
import { ByteColumn, type Column, Float64Column, Uint32Column } from '../format/columns';
import { isRecord, type Where } from '../format/errors';
import type { ImageTable } from './images';
import type { ScannedSegmentations } from './record-scanner';
import { checkMaskSize } from './rules';
import { appendRuns, checkPolygons, refuseCrossings } from '../mask/mask';
import { countCrossings, MAX_CROSSINGS, Rasteriser } from '../mask/polygon';
import { packCountBytes, unpackCountBytes } from '../mask/rle';
import type { Size } from '../format/types';

const POLYGONS = 0;
const RUNS = 1;

/** Segmentations of many objects in a few typed arrays: polygons as coordinates, masks as packed counts. */
export class Segmentations {
  readonly kinds = new Uint32Column();
  /** Height and width of a mask; of polygons 0. */
  readonly sizes = new Uint32Column();
  /** Object i: `counts[countEnds[i - 1]]` to `counts[countEnds[i] - 1]`, and so on. */
  readonly countEnds = new Uint32Column();
  readonly lengthEnds = new Uint32Column();
  readonly coordinateEnds = new Uint32Column();
  readonly counts = new ByteColumn();
  /** How many numbers each polygon has. */
  readonly lengths = new Uint32Column();
  readonly coordinates = new Float64Column();
  private readonly rasteriser = new Rasteriser();
  private readonly runs = new Uint32Column();

  get length(): number {
    return this.kinds.length;
  }

  /** All that is kept. */
  get columns(): Column[] {
    const { kinds, sizes, countEnds, lengthEnds, coordinateEnds, counts, lengths, coordinates } = this;
    return [kinds, sizes, countEnds, lengthEnds, coordinateEnds, counts, lengths, coordinates];
  }

  /** Forgets all but the first ones. */
  truncate(count: number): void {
    this.counts.length = startOf(count, this.countEnds);
    this.lengths.length = startOf(count, this.lengthEnds);
    this.coordinates.length = startOf(count, this.coordinateEnds);
    for (const column of [this.kinds, this.countEnds, this.lengthEnds, this.coordinateEnds]) column.length = count;
    this.sizes.length = 2 * count;
  }

  /** Checks and stores a segmentation. */
  push(segmentation: unknown, where: Where): void {
    let size: Size = [0, 0];
    if (isRecord(segmentation)) {
      this.runs.length = 0;
      size = appendRuns(segmentation, this.runs, where, 'segmentation.');
      packCountBytes(this.runs.values(), this.counts);
      this.kinds.push(RUNS);
    } else {
      for (const polygon of checkPolygons(segmentation, where)) {
        this.lengths.push(polygon.length);
        this.coordinates.reserve(polygon.length);
        for (let i = 0; i < polygon.length; i++) this.coordinates.push(polygon[i] as number);
      }
      this.kinds.push(POLYGONS);
    }
    this.countEnds.push(this.counts.length);
    this.lengthEnds.push(this.lengths.length);
    this.coordinateEnds.push(this.coordinates.length);
    this.sizes.push(size[0]);
    this.sizes.push(size[1]);
  }

  /** Stores segmentations that a scanner read. */
  append(scanned: ScannedSegmentations): void {
    appendEnds(this.countEnds, scanned.countEnds, this.counts.length);
    appendEnds(this.lengthEnds, scanned.lengthEnds, this.lengths.length);
    appendEnds(this.coordinateEnds, scanned.coordinateEnds, this.coordinates.length);
    this.kinds.append(scanned.kinds);
    this.sizes.append(scanned.sizes);
    this.counts.append(scanned.counts);
    this.lengths.append(scanned.lengths);
    this.coordinates.append(scanned.coordinates);
  }

  /** Height and width of a mask of runs; zeros for polygons. */
  sizeOf(index: number): Size {
    return [this.sizes.get(2 * index), this.sizes.get(2 * index + 1)];
  }

  /** @throws CocoFormatError unless the image has a size, and a mask has it too. */
  checkSize(index: number, images: ImageTable, image: number, where: Where): void {
    const size = images.requireSize(image);
    if (this.kinds.get(index) === POLYGONS) return this.checkOutlines(index, size[1], where);
    checkMaskSize(this.sizeOf(index), size, images.ids[image] as number, where);
  }

  /** Appends the runs of an object's mask in an image of the given size. */
  rasterise(index: number, size: Size, out: Uint32Column): void {
    if (this.kinds.get(index) === RUNS) {
      unpackCountBytes(this.counts.data, startOf(index, this.countEnds), this.countEnds.get(index), out);
      return;
    }
    const start = startOf(index, this.coordinateEnds);
    const firstPart = startOf(index, this.lengthEnds);
    const endPart = this.lengthEnds.get(index);
    const lengths = this.lengths.data;
    this.rasteriser.objectRuns({ coordinates: this.coordinates.data, start, lengths, firstPart, endPart }, size, out);
  }

  /** Of most outlines the number of points is enough to know that they cross few columns. */
  private checkOutlines(index: number, width: number, where: Where): void {
    const start = startOf(index, this.coordinateEnds);
    const points = (this.coordinateEnds.get(index) - start) >> 1;
    if (points * (width + 1) <= MAX_CROSSINGS) return;
    refuseCrossings(countCrossings({ coordinates: this.coordinates.data, start, points }, width), where);
  }
}

/** Appends ends of parts of a column that has so many entries already. */
function appendEnds(ends: Uint32Column, more: Uint32Array, before: number): void {
  ends.append(more);
  const { data, length } = ends;
  if (before > 0) for (let i = length - more.length; i < length; i++) data[i] = (data[i] as number) + before;
}

function startOf(index: number, ends: Uint32Column): number {
  return index === 0 ? 0 : ends.get(index - 1);
}
