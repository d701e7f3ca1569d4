/**
 * Run lengths of binary masks, the arithmetic behind `mask`: column-major, background first, as in the COCO API
 * (https://github.com/cocodataset/cocoapi, common/maskApi.c), whose answers it repeats, also for runs of length 0.
 * Many masks can share one array, of which each is a part.
 */
import { ByteColumn, type Uint32Column } from '../format/columns';

const { floor, max, min } = Math;

/** A mask: `data[start]` to `data[end - 1]`. */
export interface RunSpan {
  readonly data: Uint32Array;
  readonly start: number;
  readonly end: number;
}

/** All runs of an array as one mask. */
export function spanOf(data: Uint32Array): RunSpan {
  return { data, start: 0, end: data.length };
}

/** Masks hold fewer pixels than this, so that every count fits a signed 32-bit integer. */
export const MAX_PIXELS = 2 ** 31 - 1;

const MOST_CHARACTERS = 7; // of one number: 5 bits each

/**
 * Unpacks a counts string and appends its runs.
 * @returns the sum of the runs.
 * @throws RangeError saying what is wrong with the string.
 */
export function unpackCounts(counts: string, out: Uint32Column): number {
  const bytes = new TextEncoder().encode(counts);
  return unpackCountBytes(bytes, 0, bytes.length, out);
}

/** The same for `counts[start]` to `counts[end - 1]`, ASCII text. */
export function unpackCountBytes(counts: Uint8Array, start: number, end: number, out: Uint32Column): number {
  out.reserve(end - start);
  const runs = out.data;
  const first = out.length;
  let next = first;
  let sum = 0;
  let at = start;
  while (at < end) {
    let value = 0;
    let shift = 0;
    let code: number;
    do {
      if (at === end) throw new RangeError('a counts string that does not end inside a number');
      if (shift === 5 * MOST_CHARACTERS) throw new RangeError('runs that fit 32 bits');
      code = (counts[at++] as number) - 48;
      if (code < 0 || code > 63) throw new RangeError("counts characters from '0' to 'o'");
      value |= (code & 31) << shift;
      shift += 5;
    } while (code & 32);
    if (code & 16 && shift < 32) value |= -1 << shift;
    if (next - first > 2) value += runs[next - 2] as number;
    if (value < 0) throw new RangeError('runs of at least 0');
    runs[next++] = value;
    sum += value;
  }
  out.length = next;
  return sum;
}

/** Packs runs into a counts string. */
export function packCounts(runs: Uint32Array): string {
  const bytes = new ByteColumn();
  packCountBytes(runs, bytes);
  return new TextDecoder().decode(bytes.values());
}

/** Appends packed runs: differences from the run before the last, 5 bits a character, 32 = more follow. */
export function packCountBytes(runs: Uint32Array, out: ByteColumn): void {
  for (let i = 0; i < runs.length; i++) {
    let value = (runs[i] as number) - (i > 2 ? (runs[i - 2] as number) : 0);
    let more: boolean;
    do {
      let code = value & 31;
      value >>= 5;
      more = code & 16 ? value !== -1 : value !== 0;
      if (more) code |= 32;
      out.push(code + 48);
    } while (more);
  }
}

/** Number of foreground pixels. */
export function runsArea({ data, start, end }: RunSpan): number {
  let area = 0;
  for (let i = start + 1; i < end; i += 2) area += data[i] as number;
  return area;
}

/** Writes the box `[x, y, width, height]` around the foreground to `out[at]`...; zeros for an empty mask. */
export function runsBox({ data, start, end }: RunSpan, height: number, out: Float64Array, at = 0): void {
  let left = -1;
  let top = height;
  let right = 0;
  let bottom = 0;
  let position = 0;
  for (let i = start; i + 1 < end; i += 2) {
    const from = position + (data[i] as number);
    position = from + (data[i + 1] as number);
    if (position === from) continue;
    const fromColumn = floor(from / height);
    const toColumn = floor((position - 1) / height);
    if (left < 0) left = fromColumn;
    right = toColumn;
    if (fromColumn < toColumn) {
      top = 0;
      bottom = height - 1;
    } else {
      top = min(top, from - fromColumn * height);
      bottom = max(bottom, position - 1 - toColumn * height);
    }
  }
  const empty = left < 0;
  out[at] = empty ? 0 : left;
  out[at + 1] = empty ? 0 : top;
  out[at + 2] = empty ? 0 : right - left + 1;
  out[at + 3] = empty ? 0 : bottom - top + 1;
}

/**
 * Intersection over union of two masks of the same size, or over the area of `left` if `right` is a crowd. Counting stops where
 * both masks have an empty run at once, as in the COCO API; masks encoded from pixels have no such place.
 */
export function runsIou(left: RunSpan, right: RunSpan, crowd: boolean): number {
  const { data: a, end: aEnd } = left;
  const { data: b, end: bEnd } = right;
  let intersection = 0;
  let union = 0;
  let i = left.start;
  let j = right.start;
  let leftA = i < aEnd ? (a[i++] as number) : 0;
  let leftB = j < bEnd ? (b[j++] as number) : 0;
  let inside = 0; // bit 0: in a, bit 1: in b
  let remaining = 1;
  while (remaining > 0) {
    const step = leftA < leftB ? leftA : leftB;
    if (inside !== 0) union += step;
    if (inside === 3) intersection += step;
    leftA -= step;
    leftB -= step;
    if (leftA === 0 && i < aEnd) {
      leftA = a[i++] as number;
      inside ^= 1;
    }
    if (leftB === 0 && j < bEnd) {
      leftB = b[j++] as number;
      inside ^= 2;
    }
    remaining = leftA + leftB;
  }
  if (intersection === 0) return 0;
  return intersection / (crowd ? runsArea(left) : union);
}

/** Union or intersection of two masks of the same size, appended to `out`. */
export function mergeRuns(a: Uint32Array, b: Uint32Array, intersect: boolean, out: Uint32Column): void {
  let i = 0;
  let j = 0;
  let leftA = i < a.length ? (a[i++] as number) : 0;
  let leftB = j < b.length ? (b[j++] as number) : 0;
  let insideA = false;
  let insideB = false;
  let inside = false;
  let run = 0;
  let remaining = 1;
  while (remaining > 0) {
    const step = min(leftA, leftB);
    run += step;
    leftA -= step;
    leftB -= step;
    if (leftA === 0 && i < a.length) {
      leftA = a[i++] as number;
      insideA = !insideA;
    }
    if (leftB === 0 && j < b.length) {
      leftB = b[j++] as number;
      insideB = !insideB;
    }
    remaining = leftA + leftB;
    const next = intersect ? insideA && insideB : insideA || insideB;
    if (next !== inside || remaining === 0) {
      out.push(run);
      run = 0;
    }
    inside = next;
  }
}

/** Runs of a column-major mask; every change of value begins a run. */
export function encodeRuns(pixels: ArrayLike<number>, out: Uint32Column): void {
  let previous = 0;
  let run = 0;
  for (let i = 0; i < pixels.length; i++) {
    const value = pixels[i] as number;
    if (value !== previous) {
      out.push(run);
      run = 0;
      previous = value;
    }
    run++;
  }
  out.push(run);
}

/** Writes the runs' 0 and 1 into a row-major mask that holds zeros. */
export function decodeRuns(runs: Uint32Array, height: number, width: number, out: Uint8Array): void {
  let position = 0;
  for (let i = 0; i < runs.length; i++) {
    const end = position + (runs[i] as number);
    if (i % 2 === 0) {
      position = end;
      continue;
    }
    let row = position % height;
    let column = (position - row) / height;
    for (; position < end; position++) {
      out[row * width + column] = 1;
      if (++row === height) {
        row = 0;
        column++;
      }
    }
  }
}
