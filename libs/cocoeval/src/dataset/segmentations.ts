/** Segmentations of many objects as columns. */
import { Float64Column, Uint32Column } from '../format/columns';
import { isRecord, type Where } from '../format/errors';
import type { ImageTable } from './images';
import { checkMaskSize } from './rules';
import { appendRuns, checkPolygons, refuseCrossings } from '../mask/mask';
import { countCrossings, MAX_CROSSINGS, Rasteriser } from '../mask/polygon';
import type { Size } from '../format/types';

const POLYGONS = 0;
const RUNS = 1;

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

  get length(): number {
    return this.ends.length;
  }

  clear(): void {
    for (const column of [this.kinds, this.ends, this.runs, this.coordinateEnds, this.coordinates, this.sizes]) {
      column.length = 0;
    }
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
    this.ends.push(this.runs.length);
    this.coordinateEnds.push(this.coordinates.length);
    this.sizes.push(size[0]);
    this.sizes.push(size[1]);
  }

  /** @throws CocoFormatError unless the image has a size, and a mask has it too. */
  checkSize(index: number, images: ImageTable, image: number, where: Where): void {
    const size = images.requireSize(image);
    if (this.kinds.get(index) === POLYGONS) return this.checkOutlines(index, size[1], where);
    const own = [this.sizes.get(2 * index), this.sizes.get(2 * index + 1)] as const;
    checkMaskSize(own, size, images.ids[image] as number, where);
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

  /** Of most outlines the number of points is enough to know that they cross few columns. */
  private checkOutlines(index: number, width: number, where: Where): void {
    const start = startOf(index, this.coordinateEnds);
    const points = (this.coordinateEnds.get(index) - start) >> 1;
    if (points * (width + 1) <= MAX_CROSSINGS) return;
    refuseCrossings(countCrossings({ coordinates: this.coordinates.data, start, points }, width), where);
  }
}

function startOf(index: number, ends: Uint32Column): number {
  return index === 0 ? 0 : ends.get(index - 1);
}
