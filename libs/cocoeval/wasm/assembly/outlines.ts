/**
 * Turns polygons into run lengths exactly as the COCO API does (rleFrPoly in its common/maskApi.c), by the crossings of the
 * outline with the middles of pixel columns: src/mask/polygon.ts says how.
 */
import { allocate, allocateZeros, mark, release } from './memory';
import { uniteRuns } from './masks';

const SCALE: f64 = 5;
/** A little more than a fifth, so that multiples of five become what they must. */
const FIFTH: f64 = 0.2;
const MIDDLE: f64 = 2; // fine column 5 c + 2 is the last one left of the middle of column c

let height: i32 = 0;
let width: i32 = 0;
/** Crossings so far: pixel positions and their columns. */
let positions: usize = 0;
let columns: usize = 0;
let count: u32 = 0;

/** At least as many runs as an object's outlines can make in an image of the given width. */
export function mostRuns(coordinates: usize, lengths: usize, parts: u32, imageWidth: u32): u32 {
  let most: u32 = parts + 2;
  for (let part: u32 = 0; part < parts; part++) {
    const length = load<u32>(lengths + (part << 2));
    most += mostCrossings(coordinates, length >> 1, imageWidth) + 2;
    coordinates += length << 3;
  }
  return most;
}

/**
 * Writes the runs of the union of an object's outlines: `parts` polygons of so many numbers, one after the other.
 * @param most as `mostRuns` says. @returns how many runs there are.
 */
export function outlineRuns(coordinates: usize, lengths: usize, parts: u32, size: usize, most: u32, out: usize): u32 {
  height = load<i32>(size);
  width = load<i32>(size, 4);
  const start = mark();
  let runs: u32 = 0;
  for (let part: u32 = 0; part < parts; part++) {
    const length = load<u32>(lengths + (part << 2));
    if (part === 0) {
      runs = polygonRuns(coordinates, length >> 1, most, out);
    } else {
      const before = mark();
      const own = allocate((<usize>most) << 2);
      const both = allocate((<usize>most) << 2);
      const ownRuns = polygonRuns(coordinates, length >> 1, most, own);
      runs = uniteRuns(out, runs, own, ownRuns, both);
      memory.copy(out, both, runs << 2);
      release(before);
    }
    coordinates += length << 3;
  }
  release(start);
  return runs;
}

function mostCrossings(coordinates: usize, points: u32, imageWidth: u32): u32 {
  let most: f64 = 0;
  for (let i: u32 = 0; i < points; i++) {
    const from = load<f64>(coordinates + (i << 4));
    const to = load<f64>(i + 1 === points ? coordinates : coordinates + ((i + 1) << 4));
    most += min(abs(to - from), <f64>imageWidth) + 2;
  }
  return <u32>most;
}

/** Writes the runs of one closed polygon. @returns how many there are. */
function polygonRuns(coordinates: usize, points: u32, most: u32, out: usize): u32 {
  const start = mark();
  positions = allocate((<usize>most) << 2);
  columns = allocate((<usize>most) << 2);
  count = 0;
  for (let i: u32 = 0; i < points; i++) {
    const from = coordinates + (i << 4);
    const to = i + 1 === points ? coordinates : from + 16;
    const x0 = toFine(load<f64>(from));
    const y0 = toFine(load<f64>(from, 8));
    const x1 = toFine(load<f64>(to));
    const y1 = toFine(load<f64>(to, 8));
    const isWide = abs(x1 - x0) >= abs(y1 - y0);
    if (isWide ? x0 > x1 : y0 > y1) crossColumns(x1, y1, x0, y0, isWide);
    else crossColumns(x0, y0, x1, y1, isWide);
  }
  const sorted = sortByColumn();
  store<u32>(sorted + (count << 2), <u32>(height * width));
  const runs = writeDifferences(sorted, count + 1, out);
  release(start);
  return runs;
}

/** Collects the pixel positions at which the edge from (x0, y0) to (x1, y1) crosses column middles. */
function crossColumns(x0: f64, y0: f64, x1: f64, y1: f64, isWide: bool): void {
  const dx = abs(x1 - x0);
  if (dx === 0) return;
  const dy = abs(y1 - y0);
  const firstColumn = max<f64>(0, ceil((min(x0, x1) - MIDDLE) / SCALE));
  const lastColumn = min(<f64>width - 1, floor((max(x0, x1) - 1 - MIDDLE) / SCALE));
  const slope = isWide ? (y1 - y0) / dx : (x1 - x0) / dy;
  const steps = 1 / slope;
  let position = <i32>firstColumn * height;
  let fine = SCALE * firstColumn + MIDDLE;
  // Of its points at `step` and `step + 1` a wide edge's lower one is the one that its slope says.
  const lower: f64 = slope < 0 ? 1 : 0;
  for (let column = <i32>firstColumn; column <= <i32>lastColumn; column++) {
    const y = isWide ? trunc(y0 + slope * (fine - x0 + lower) + 0.5) : rowOfCrossing(x0, y0, slope, steps, dy, fine);
    store<i32>(positions + (count << 2), position + pixelBelow(y));
    store<i32>(columns + (count << 2), column);
    count++;
    position += height;
    fine += SCALE;
  }
}

/** Rounds to the fine grid: towards zero after adding a half, as a C cast does, also for negative numbers. */
function toFine(coordinate: f64): f64 {
  return trunc(SCALE * coordinate + 0.5);
}

/** The smaller fine row of the two neighbouring points of a steep edge of which one has x <= fine, the other x > fine. */
function rowOfCrossing(x0: f64, y0: f64, slope: f64, steps: f64, dy: f64, fine: f64): f64 {
  let step = min(dy, max<f64>(1, nearest((fine + 0.5 - x0) * steps)));
  while (step > 1 && isBeyond(x0, slope, step - 1, fine)) step--;
  while (step < dy && !isBeyond(x0, slope, step, fine)) step++;
  return y0 + step - 1;
}

function isBeyond(x0: f64, slope: f64, step: f64, fine: f64): bool {
  return trunc(x0 + slope * step + 0.5) > fine !== slope < 0;
}

/** Middle of a fine row in pixels, (row + 0.5) / 5 - 0.5, clipped to the image, then the next pixel edge below. */
function pixelBelow(fineRow: f64): i32 {
  return <i32>min(max<f64>(0, floor((fineRow + 2) * FIFTH)), <f64>height);
}

/** Sorts the positions: by column, whose order is theirs, then among the few of one column. @returns room for one more. */
function sortByColumn(): usize {
  const sorted = allocate((<usize>(count + 1)) << 2);
  const next = allocateZeros((<usize>(width + 1)) << 2);
  for (let i: u32 = 0; i < count; i++) {
    const column = next + (load<u32>(columns + (i << 2)) << 2);
    store<u32>(column, load<u32>(column, 4) + 1, 4);
  }
  for (let column = next; column < next + ((<usize>width) << 2); column += 4) {
    store<u32>(column, load<u32>(column) + load<u32>(column, 4), 4);
  }
  for (let i: u32 = 0; i < count; i++) {
    const column = next + (load<u32>(columns + (i << 2)) << 2);
    const place = load<u32>(column);
    store<u32>(column, place + 1);
    store<u32>(sorted + (place << 2), load<u32>(positions + (i << 2)));
  }
  const end = sorted + (count << 2);
  for (let at = sorted + 4; at < end; at += 4) {
    const position = load<u32>(at);
    let to = at;
    while (to > sorted && load<u32>(to - 4) > position) {
      store<u32>(to, load<u32>(to - 4));
      to -= 4;
    }
    store<u32>(to, position);
  }
  return sorted;
}

/** Runs between sorted positions; runs of length 0 vanish together with the change of value that they stand for. */
function writeDifferences(sorted: usize, positionCount: u32, out: usize): u32 {
  const end = sorted + (positionCount << 2);
  const first = out;
  let previous = load<u32>(sorted);
  store<u32>(out, previous);
  out += 4;
  for (let at = sorted + 4; at < end; at += 4) {
    let run = load<u32>(at) - previous;
    previous = load<u32>(at);
    if (run > 0) {
      store<u32>(out, run);
      out += 4;
    } else {
      at += 4;
      if (at === end) break;
      run = load<u32>(at) - previous;
      previous = load<u32>(at);
      store<u32>(out - 4, load<u32>(out - 4) + run);
    }
  }
  return <u32>((out - first) >> 2);
}
