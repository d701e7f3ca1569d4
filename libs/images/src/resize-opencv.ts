import type { RgbImage, Size } from './rgb-image';

/** OpenCV's weights are 11-bit integers. */
const ONE = 2048;

/**
 * `cv2.resize(..., INTER_LINEAR)` on uint8 to the last bit: half-pixel centres, 11-bit weights, the horizontal sums cut by 4 bits, and
 * exact halving replaced by the mean of 2x2 (as OpenCV does).
 */
export function resizeOpencvBilinear(image: RgbImage, size: Size): RgbImage {
  const { width, height } = size;
  if (image.width === width && image.height === height) return { ...image, data: image.data.slice() };
  if (image.width === 2 * width && image.height === 2 * height) return halve(image);
  const columns = columnTaps(image.width, width);
  const rows = taps(image.height, height);
  const data = new Uint8Array(width * height * 3);
  const stride = width * 3;
  let upper = new Int16Array(stride);
  let lower = new Int16Array(stride);
  let upperRow = -1;
  let lowerRow = -1;
  for (let y = 0; y < height; y++) {
    const first = clamp(rows.index[y]!, image.height);
    const second = clamp(rows.index[y]! + 1, image.height);
    if (first !== upperRow) {
      if (first === lowerRow) {
        [upper, lower] = [lower, upper];
        [upperRow, lowerRow] = [lowerRow, upperRow];
      } else {
        stretchRow(image, first, columns, upper);
        upperRow = first;
      }
    }
    if (second !== lowerRow) {
      stretchRow(image, second, columns, lower);
      lowerRow = second;
    }
    blendRows(upper, lower, rows.near[y]!, rows.far[y]!, data.subarray(y * stride, (y + 1) * stride));
  }
  return { data, width, height };
}

/** `cv2.resize(..., INTER_NEAREST)`: the source pixel at the floor of the scaled index. */
export function resizeOpencvNearest(image: RgbImage, { width, height }: Size): RgbImage {
  const columns = nearestIndex(image.width, width);
  const rows = nearestIndex(image.height, height);
  const data = new Uint8Array(width * height * 3);
  let to = 0;
  for (const row of rows) {
    const start = row * image.width;
    for (let x = 0; x < width; x++, to += 3) {
      const from = (start + columns[x]!) * 3;
      data[to] = image.data[from]!;
      data[to + 1] = image.data[from + 1]!;
      data[to + 2] = image.data[from + 2]!;
    }
  }
  return { data, width, height };
}

/** Source index of every output index. */
export function nearestIndex(from: number, to: number): Int32Array {
  const scale = 1 / (to / from);
  return Int32Array.from({ length: to }, (_, i) => Math.min(Math.floor(i * scale), from - 1));
}

interface Taps {
  /** Left (upper) neighbour, before clamping to the picture. */
  readonly index: Int32Array;
  readonly near: Int32Array;
  readonly far: Int32Array;
}

function taps(from: number, to: number): Taps {
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

/** Taps along x, in bytes; at the borders one pixel gets all the weight. */
function columnTaps(from: number, to: number) {
  const { index, near, far } = taps(from, to);
  const left = new Int32Array(to);
  const right = new Int32Array(to);
  for (let i = 0; i < to; i++) {
    if (index[i]! < 0 || index[i]! >= from - 1) {
      near[i] = ONE;
      far[i] = 0;
    }
    left[i] = clamp(index[i]!, from) * 3;
    right[i] = clamp(index[i]! + 1, from) * 3;
  }
  return { left, right, near, far };
}

function stretchRow(image: RgbImage, row: number, columns: ReturnType<typeof columnTaps>, out: Int16Array): void {
  const { left, right, near, far } = columns;
  const { data } = image;
  const start = row * image.width * 3;
  for (let x = 0, to = 0; x < left.length; x++, to += 3) {
    const a = start + left[x]!;
    const b = start + right[x]!;
    const wa = near[x]!;
    const wb = far[x]!;
    out[to] = (Math.imul(data[a]!, wa) + Math.imul(data[b]!, wb)) >> 4;
    out[to + 1] = (Math.imul(data[a + 1]!, wa) + Math.imul(data[b + 1]!, wb)) >> 4;
    out[to + 2] = (Math.imul(data[a + 2]!, wa) + Math.imul(data[b + 2]!, wb)) >> 4;
  }
}

function blendRows(upper: Int16Array, lower: Int16Array, near: number, far: number, out: Uint8Array): void {
  for (let i = 0; i < out.length; i++) {
    out[i] = ((Math.imul(upper[i]!, near) >> 16) + (Math.imul(lower[i]!, far) >> 16) + 2) >> 2;
  }
}

function halve({ data, width }: RgbImage): RgbImage {
  const half = { width: width / 2, height: data.length / width / 6 };
  const out = new Uint8Array(half.width * half.height * 3);
  const stride = width * 3;
  for (let y = 0, to = 0; y < half.height; y++) {
    for (let x = 0; x < half.width; x++) {
      const from = 2 * y * stride + 6 * x;
      for (let c = from; c < from + 3; c++, to++) {
        out[to] = (data[c]! + data[c + 3]! + data[c + stride]! + data[c + stride + 3]! + 2) >> 2;
      }
    }
  }
  return { data: out, ...half };
}

const clamp = (index: number, length: number) => Math.min(Math.max(index, 0), length - 1);

function roundHalfEven(value: number): number {
  const floor = Math.floor(value);
  const rest = value - floor;
  if (rest !== 0.5) return Math.round(value);
  return floor % 2 === 0 ? floor : floor + 1;
}
