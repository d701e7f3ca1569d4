/** Segmentations of many objects as columns. */
import { Float64Column, Uint32Column } from '../format/columns';
import { isRecord, type Where } from '../format/errors';
import type { ImageTable } from './images';
import { checkMaskSize } from './rules';
import { appendRuns, checkPolygons } from '../mask/mask';
import { Rasteriser } from '../mask/polygon';
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
    if (this.kinds.get(index) === POLYGONS) return;
    const own = [this.sizes.get(2 * index), this.sizes.get(2 * index + 1)] as const;
    checkMaskSize(own, size, images.ids[image] as number, where);
  }

  /** Appends the runs of an object's mask in an image of the given size. */
  rasterise(index: number, height: number, width: number, out: Uint32Column): void {
    const start = index === 0 ? 0 : this.ends.get(index - 1);
    const end = this.ends.get(index);
    if (this.kinds.get(index) === RUNS) {
      out.append(this.runs.data.subarray(start, end));
      return;
    }
    const from = index === 0 ? 0 : this.coordinateEnds.get(index - 1);
    this.rasteriser.parts(this.coordinates.data, from, this.runs.data, start, end, height, width, out);
  }
}
