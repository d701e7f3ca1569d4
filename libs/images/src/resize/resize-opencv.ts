/** OpenCV's bilinear resizing, bit for bit. */
import type { Size } from '../rgb-image';
import type { RowSink } from './row-sink';
import { put, reserve, rowKernels } from './rows';
import type { Rows, Source, Target } from './target';

/** OpenCV's weights are 11-bit integers. */
const ONE = 2048;

/**
 * `cv2.resize(..., INTER_LINEAR)` on uint8 to the last bit: half-pixel centres, 11-bit weights, the horizontal sums cut by 4 bits, and
 * exact halving replaced by the mean of 2x2 (as OpenCV does).
 */
export function resizeOpencvBilinear(image: Source, target: Target, sink: RowSink): void {
  if (isHalf(image, target)) halve(image, target, sink);
  else blend(image, target, sink);
}

const isHalf = (image: Size, target: Size): boolean =>
  image.width === 2 * target.width && image.height === 2 * target.height;

/** The rows of a picture that rows of the one resized by `resizeOpencvBilinear` are made of. */
export function opencvRows(image: Size, target: Size, rows: Rows): Rows {
  if (isHalf(image, target)) return { from: 2 * rows.from, to: 2 * rows.to };
  const { index } = rowTaps(image.height, target.height);
  return { from: clamp(index[rows.from]!, image.height), to: clamp(index[rows.to - 1]! + 1, image.height) + 1 };
}

/** `cv2.resize(..., INTER_NEAREST)`: the source pixel at the floor of the scaled index. */
export function resizeOpencvNearest(image: Source, target: Target, sink: RowSink): void {
  const columns = mirrored(nearestIndex(image.width, target.width), target);
  const row = new Uint8Array(target.width * 3);
  const [address, scratch] = reserve([row.length, sink.scratch]);
  const index = nearestIndex(image.height, target.height);
  for (let y = target.rows.from; y < target.rows.to; y++) {
    const start = (index[y]! - image.top) * image.width * 3;
    for (let x = 0, to = 0; x < target.width; x++, to += 3) {
      const from = start + columns[x]! * 3;
      row[to] = image.data[from]!;
      row[to + 1] = image.data[from + 1]!;
      row[to + 2] = image.data[from + 2]!;
    }
    put(address, row);
    sink.write(y, address, scratch);
  }
}

/** The rows of a picture that rows of the one resized by `resizeOpencvNearest` are taken from. */
export function nearestRows(from: number, to: number, rows: Rows): Rows {
  const index = nearestIndex(from, to);
  return { from: index[rows.from]!, to: index[rows.to - 1]! + 1 };
}

/** Source index of every output index. */
export function nearestIndex(from: number, to: number): Int32Array {
  const scale = 1 / (to / from);
  return Int32Array.from({ length: to }, (_, i) => Math.min(Math.floor(i * scale), from - 1));
}

/** Blends two stretched source rows into each output row; neighbouring outputs share them. */
function blend(image: Source, target: Target, sink: RowSink): void {
  const stride = target.width * 3;
  const columns = packedTaps(image.width, target);
  const rows = rowTaps(image.height, target.height);
  const [source, offsets, weights, evenRow, oddRow, out, scratch] = reserve([
    image.width * 3,
    columns.offsets.byteLength,
    columns.weights.byteLength,
    stride * 2,
    stride * 2,
    stride,
    sink.scratch,
  ]);
  put(offsets, columns.offsets);
  put(weights, columns.weights);
  const { stretchRow, blendRows } = rowKernels();
  const held = [-1, -1];
  /** Address of a source row, stretched to the new width; two rows next to each other never share a buffer. */
  const stretched = (row: number) => {
    const address = row % 2 === 0 ? evenRow : oddRow;
    if (held[row % 2] !== row) {
      const at = (row - image.top) * image.width * 3;
      put(source, image.data.subarray(at, at + image.width * 3));
      stretchRow(source, offsets, weights, target.width, address);
      held[row % 2] = row;
    }
    return address;
  };
  for (let y = target.rows.from; y < target.rows.to; y++) {
    const upper = stretched(clamp(rows.index[y]!, image.height));
    const lower = stretched(clamp(rows.index[y]! + 1, image.height));
    blendRows(upper, lower, rows.near[y]!, rows.far[y]!, out, stride);
    sink.write(y, out, scratch);
  }
}

export interface Taps {
  /** Left (upper) neighbour, before clamping to the picture, and the weights of it and of the one after it. */
  readonly index: Int32Array;
  readonly near: Int32Array;
  readonly far: Int32Array;
}

/** Weights of the two neighbours of each output along y, and of those along x but for the borders. */
export function rowTaps(from: number, to: number): Taps {
  const result = { index: new Int32Array(to), near: new Int32Array(to), far: new Int32Array(to) };
  const scale = 1 / (to / from);
  for (let i = 0; i < to; i++) {
    const centre = Math.fround((i + 0.5) * scale - 0.5);
    const index = Math.floor(centre);
    const fraction = Math.fround(centre - index);
    result.index[i] = index;
    result.near[i] = roundHalfEven(Math.fround(Math.fround(1 - fraction) * ONE));
    result.far[i] = roundHalfEven(Math.fround(fraction * ONE));
  }
  return result;
}

/** The same along x, where one pixel gets all the weight at the borders. */
export function columnTaps(from: number, to: number): Taps {
  const { index, near, far } = rowTaps(from, to);
  const isBorder = index.map((left) => Number(left < 0 || left >= from - 1));
  return {
    index,
    near: near.map((weight, i) => (isBorder[i] ? ONE : weight)),
    far: far.map((weight, i) => (isBorder[i] ? 0 : weight)),
  };
}

/** Taps along x as the kernel reads them. */
function packedTaps(from: number, target: Target) {
  const { index, near, far } = columnTaps(from, target.width);
  const offsets = index.map((left) => clamp(left, from) * 3);
  const weights = far.map((weight, i) => (weight << 16) | near[i]!);
  return { offsets: mirrored(offsets, target), weights: mirrored(weights, target) };
}

function halve({ data, width, top }: Source, target: Target, sink: RowSink): void {
  const stride = width * 3;
  const row = new Uint8Array(target.width * 3);
  const [address, scratch] = reserve([row.length, sink.scratch]);
  for (let y = target.rows.from; y < target.rows.to; y++) {
    for (let x = 0; x < target.width; x++) {
      const from = (2 * y - top) * stride + 6 * x;
      const to = (target.mirror ? target.width - 1 - x : x) * 3;
      for (let c = 0; c < 3; c++) {
        const at = from + c;
        row[to + c] = (data[at]! + data[at + 3]! + data[at + stride]! + data[at + stride + 3]! + 2) >> 2;
      }
    }
    put(address, row);
    sink.write(y, address, scratch);
  }
}

const mirrored = (table: Int32Array, { mirror }: Target) => (mirror ? table.reverse() : table);

export const clamp = (index: number, length: number) => Math.min(Math.max(index, 0), length - 1);

function roundHalfEven(value: number): number {
  const floor = Math.floor(value);
  const rest = value - floor;
  if (rest !== 0.5) return Math.round(value);
  return floor % 2 === 0 ? floor : floor + 1;
}
