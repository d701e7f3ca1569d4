/**
 * Turns polygons into run lengths exactly as the COCO API does (rleFrPoly in its common/maskApi.c): the outline is drawn
 * on a grid five times as fine, and where it passes the middle of a pixel column, the run changes at the pixel below.
 * Instead of walking over every point of the fine outline, only its crossings of column middles are computed.
 */
import { Uint32Column } from '../format/columns';
import type { Size } from '../format/types';
import { mergeRuns } from './rle';

const { abs, ceil, floor, max, min, round, trunc } = Math;

const SCALE = 5;
const MIDDLE = 2; // fine column 5 c + 2 is the last one left of the middle of column c

/** Coordinates beyond this overflow the 32-bit integers of the fine grid. */
export const MAX_COORDINATE = 2 ** 31 / SCALE - 2;

/** One polygon in an array of numbers: x0, y0, x1, y1, ... from `start` on, finite, within MAX_COORDINATE. */
interface Outline {
  readonly coordinates: ArrayLike<number>;
  readonly start: number;
  readonly points: number;
}

/** The polygons of one object, one after the other from `start` on; they have `lengths[firstPart]`, ... numbers. */
interface Outlines {
  readonly coordinates: ArrayLike<number>;
  readonly start: number;
  readonly lengths: Uint32Array;
  readonly firstPart: number;
  readonly endPart: number;
}

/** How many pixel columns the outlines of one object may cross: more than any drawn by hand, and 256 MB of work space. */
export const MAX_CROSSINGS = 2 ** 26;

/** At least as many as the pixel columns that an outline crosses in an image of the given width. */
export function countCrossings({ coordinates, start, points }: Outline, width: number): number {
  let count = 0;
  for (let i = 0; i < points; i++) {
    const from = coordinates[start + 2 * i] as number;
    const to = coordinates[i + 1 === points ? start : start + 2 * i + 2] as number;
    count += min(abs(to - from), width) + 1;
  }
  return count;
}

/** Holds the work space, so that drawing many polygons allocates nothing. */
export class Rasteriser {
  private readonly crossings = new Uint32Column();
  private readonly partRuns = new Uint32Column();
  private union = new Uint32Column();
  private merged = new Uint32Column();
  private height = 0;
  private width = 0;

  /** Appends the runs of one closed polygon in an image of the given size to `out`. */
  polygon({ coordinates, start, points }: Outline, size: Size, out: Uint32Column): void {
    [this.height, this.width] = size;
    this.crossings.length = 0;
    for (let i = 0; i < points; i++) {
      const from = start + 2 * i;
      const to = i + 1 === points ? start : from + 2;
      this.crossColumns(
        toFine(coordinates[from] as number),
        toFine(coordinates[from + 1] as number),
        toFine(coordinates[to] as number),
        toFine(coordinates[to + 1] as number),
      );
    }
    this.crossings.push(size[0] * size[1]);
    appendDifferences(this.crossings.values().sort(), out);
  }

  /** Appends the runs of the union of an object's polygons to `out`. */
  objectRuns({ coordinates, start, lengths, firstPart, endPart }: Outlines, size: Size, out: Uint32Column): void {
    this.union.length = 0;
    let from = start;
    for (let part = firstPart; part < endPart; part++) {
      const length = lengths[part] as number;
      const runs = part === firstPart ? this.union : this.partRuns;
      runs.length = 0;
      this.polygon({ coordinates, start: from, points: length >> 1 }, size, runs);
      from += length;
      if (part > firstPart) this.unite();
    }
    out.append(this.union.values());
  }

  /** Adds the last part to the union. */
  private unite(): void {
    this.merged.length = 0;
    mergeRuns(this.union.values(), this.partRuns.values(), false, this.merged);
    [this.union, this.merged] = [this.merged, this.union];
  }

  /** Collects the pixel positions at which the edge from (x0, y0) to (x1, y1) crosses column middles. */
  private crossColumns(x0: number, y0: number, x1: number, y1: number): void {
    const { height, width } = this;
    const dx = abs(x1 - x0);
    const dy = abs(y1 - y0);
    if (dx === 0) return;
    const wide = dx >= dy;
    if (wide ? x0 > x1 : y0 > y1) return this.crossColumns(x1, y1, x0, y0);
    const left = min(x0, x1);
    const right = max(x0, x1);
    const firstColumn = max(0, ceil((left - MIDDLE) / SCALE));
    const lastColumn = min(width - 1, floor((right - 1 - MIDDLE) / SCALE));
    const slope = wide ? (y1 - y0) / dx : (x1 - x0) / dy;
    for (let column = firstColumn; column <= lastColumn; column++) {
      const fine = SCALE * column + MIDDLE;
      const y = wide ? lowerOfTwo(y0, slope, fine - x0) : rowOfCrossing(x0, y0, slope, dy, fine);
      this.crossings.push(column * height + pixelBelow(y, height));
    }
  }
}

/** Rounds to the fine grid: towards zero after adding a half, as a C cast does, also for negative numbers. */
function toFine(coordinate: number): number {
  return trunc(SCALE * coordinate + 0.5);
}

/** The smaller fine row of an edge's points `step` and `step + 1`. */
function lowerOfTwo(y0: number, slope: number, step: number): number {
  return min(trunc(y0 + slope * step + 0.5), trunc(y0 + slope * (step + 1) + 0.5));
}

/** The smaller fine row of the two neighbouring points of a steep edge of which one has x <= fine, the other x > fine. */
function rowOfCrossing(x0: number, y0: number, slope: number, dy: number, fine: number): number {
  const beyond = (step: number): boolean => trunc(x0 + slope * step + 0.5) > fine !== slope < 0;
  let step = min(dy, max(1, round((fine + 0.5 - x0) / slope)));
  while (step > 1 && beyond(step - 1)) step--;
  while (step < dy && !beyond(step)) step++;
  return y0 + step - 1;
}

/** Middle of a fine row in pixels, clipped to the image, then the next pixel edge below. */
function pixelBelow(fineRow: number, height: number): number {
  const y = (fineRow + 0.5) / SCALE - 0.5;
  return y < 0 ? 0 : ceil(y > height ? height : y);
}

/** Runs between sorted positions; runs of length 0 vanish together with the change of value that they stand for. */
function appendDifferences(positions: Uint32Array, out: Uint32Column): void {
  let previous = positions[0] as number;
  out.push(previous);
  for (let i = 1; i < positions.length; i++) {
    let run = (positions[i] as number) - previous;
    previous = positions[i] as number;
    if (run > 0) {
      out.push(run);
    } else if (++i < positions.length) {
      run = (positions[i] as number) - previous;
      previous = positions[i] as number;
      out.data[out.length - 1] = out.get(out.length - 1) + run;
    }
  }
}
