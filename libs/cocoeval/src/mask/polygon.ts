import { Uint32Column } from '../format/columns';
import { mergeRuns } from './rle';

const { abs, ceil, floor, max, min, round, trunc } = Math;

/**
 * Turns polygons into run lengths exactly as the COCO API does (rleFrPoly in its common/maskApi.c): the outline is drawn
 * on a grid five times as fine, and where it passes the middle of a pixel column, the run changes at the pixel below.
 * Instead of walking over every point of the fine outline, only its crossings of column middles are computed.
 */

const SCALE = 5;
const MIDDLE = 2; // fine column 5 c + 2 is the last one left of the middle of column c

/** Coordinates beyond this overflow the 32-bit integers of the fine grid. */
export const MAX_COORDINATE = 2 ** 31 / SCALE - 2;

/** Holds the work space, so that rasterising many polygons allocates nothing. */
export class Rasteriser {
  private readonly crossings = new Uint32Column();
  private readonly partRuns = new Uint32Column();
  private union = new Uint32Column();
  private merged = new Uint32Column();

  /**
   * Appends the runs of one closed polygon to `out`.
   * @param coordinates holds x0, y0, x1, y1, ... from `start` on; `points` of them, finite, below MAX_COORDINATE.
   */
  polygon(
    coordinates: ArrayLike<number>,
    start: number,
    points: number,
    height: number,
    width: number,
    out: Uint32Column,
  ): void {
    this.crossings.length = 0;
    for (let i = 0; i < points; i++) {
      const from = start + 2 * i;
      const to = i + 1 === points ? start : from + 2;
      crossColumns(
        toFine(coordinates[from] as number),
        toFine(coordinates[from + 1] as number),
        toFine(coordinates[to] as number),
        toFine(coordinates[to + 1] as number),
        height,
        width,
        this.crossings,
      );
    }
    this.crossings.push(height * width);
    appendDifferences(this.crossings.values().sort(), out);
  }

  /**
   * Appends the union of an object's parts to `out`.
   * @param lengths how many numbers each part has: the parts are `lengths[firstPart]` to `lengths[endPart - 1]`.
   */
  parts(
    coordinates: ArrayLike<number>,
    start: number,
    lengths: Uint32Array,
    firstPart: number,
    endPart: number,
    height: number,
    width: number,
    out: Uint32Column,
  ): void {
    let from = start;
    for (let part = firstPart; part < endPart; part++) {
      const length = lengths[part] as number;
      this.partRuns.length = 0;
      this.polygon(coordinates, from, length >> 1, height, width, this.partRuns);
      from += length;
      if (part === firstPart) {
        this.union.length = 0;
        this.union.append(this.partRuns.values());
        continue;
      }
      this.merged.length = 0;
      mergeRuns(this.union.values(), this.partRuns.values(), false, this.merged);
      [this.union, this.merged] = [this.merged, this.union];
    }
    out.append(this.union.values());
  }
}

/** Rounds to the fine grid: towards zero after adding a half, as a C cast does, also for negative numbers. */
function toFine(coordinate: number): number {
  return trunc(SCALE * coordinate + 0.5);
}

/** Collects the pixel positions at which the edge from (x0, y0) to (x1, y1) crosses column middles. */
function crossColumns(
  x0: number,
  y0: number,
  x1: number,
  y1: number,
  height: number,
  width: number,
  out: Uint32Column,
): void {
  const dx = abs(x1 - x0);
  const dy = abs(y1 - y0);
  if (dx === 0) return;
  const wide = dx >= dy;
  if (wide ? x0 > x1 : y0 > y1) return crossColumns(x1, y1, x0, y0, height, width, out);
  const left = min(x0, x1);
  const right = max(x0, x1);
  const firstColumn = max(0, ceil((left - MIDDLE) / SCALE));
  const lastColumn = min(width - 1, floor((right - 1 - MIDDLE) / SCALE));
  const slope = wide ? (y1 - y0) / dx : (x1 - x0) / dy;
  for (let column = firstColumn; column <= lastColumn; column++) {
    const fine = SCALE * column + MIDDLE;
    const y = wide ? lowerOfTwo(y0, slope, fine - x0) : rowOfCrossing(x0, y0, slope, dy, fine);
    out.push(column * height + pixelBelow(y, height));
  }
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
