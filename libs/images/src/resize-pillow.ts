import type { RgbImage, Size } from './rgb-image';

/** Pillow keeps 22 bits of each weight, so that 255 times a sum of weights stays within 32 bits. */
const PRECISION = 22;
const HALF = 1 << (PRECISION - 1);

interface Filter {
  readonly support: number;
  readonly weight: (distance: number) => number;
}

export const BILINEAR: Filter = { support: 1, weight: (x) => Math.max(0, 1 - Math.abs(x)) };

/** Keys' cubic with a = -0.5. */
export const BICUBIC: Filter = {
  support: 2,
  weight: (distance) => {
    const x = Math.abs(distance);
    if (x < 1) return (1.5 * x - 2.5) * x * x + 1;
    return x < 2 ? ((-0.5 * x + 2.5) * x - 4) * x + 2 : 0;
  },
};

/**
 * `Image.resize` of Pillow on uint8 to the last bit: the filter is widened when shrinking (antialiased), rows are filtered first,
 * rounded to uint8, then columns.
 */
export function resizePillow(image: RgbImage, { width, height }: Size, filter: Filter): RgbImage {
  const narrowed = image.width === width ? image : filterRows(image, width, windows(image.width, width, filter));
  if (image.height !== height) return filterColumns(narrowed, height, windows(image.height, height, filter));
  return narrowed === image ? { ...image, data: image.data.slice() } : narrowed;
}

interface Windows {
  /** First source index of each output's window, and how many sources it has. */
  readonly start: Int32Array;
  readonly count: Int32Array;
  /** `size` weights an output, of which the first `count` are used. */
  readonly weights: Int32Array;
  readonly size: number;
}

function windows(from: number, to: number, filter: Filter): Windows {
  const scale = from / to;
  const stretch = Math.max(scale, 1);
  const support = filter.support * stretch;
  const size = Math.ceil(support) * 2 + 1;
  const result = { start: new Int32Array(to), count: new Int32Array(to), weights: new Int32Array(to * size), size };
  const weights = new Float64Array(size);
  for (let i = 0; i < to; i++) {
    const centre = (i + 0.5) * scale;
    const start = Math.max(0, Math.trunc(centre - support + 0.5));
    const count = Math.min(from, Math.trunc(centre + support + 0.5)) - start;
    let total = 0;
    for (let k = 0; k < count; k++) {
      weights[k] = filter.weight((k + start - centre + 0.5) * (1 / stretch));
      total += weights[k]!;
    }
    for (let k = 0; k < count; k++) {
      const weight = (total === 0 ? weights[k]! : weights[k]! / total) * (1 << PRECISION);
      result.weights[i * size + k] = Math.trunc(weight + (weight < 0 ? -0.5 : 0.5));
    }
    result.start[i] = start;
    result.count[i] = count;
  }
  return result;
}

function filterRows(image: RgbImage, width: number, { start, count, weights, size }: Windows): RgbImage {
  const source = image.data;
  const data = new Uint8Array(width * image.height * 3);
  let to = 0;
  for (let y = 0; y < image.height; y++) {
    const row = y * image.width;
    for (let x = 0; x < width; x++, to += 3) {
      let red = HALF;
      let green = HALF;
      let blue = HALF;
      let from = (row + start[x]!) * 3;
      const first = x * size;
      const end = first + count[x]!;
      for (let k = first; k < end; k++, from += 3) {
        const weight = weights[k]!;
        red = (red + Math.imul(source[from]!, weight)) | 0;
        green = (green + Math.imul(source[from + 1]!, weight)) | 0;
        blue = (blue + Math.imul(source[from + 2]!, weight)) | 0;
      }
      data[to] = clip(red >> PRECISION);
      data[to + 1] = clip(green >> PRECISION);
      data[to + 2] = clip(blue >> PRECISION);
    }
  }
  return { data, width, height: image.height };
}

function filterColumns(image: RgbImage, height: number, { start, count, weights, size }: Windows): RgbImage {
  const source = image.data;
  const stride = image.width * 3;
  const data = new Uint8Array(stride * height);
  const sums = new Int32Array(stride);
  for (let y = 0; y < height; y++) {
    sums.fill(HALF);
    for (let k = 0; k < count[y]!; k++) {
      const weight = weights[y * size + k]!;
      const from = (start[y]! + k) * stride;
      for (let i = 0; i < stride; i++) sums[i] = (sums[i]! + Math.imul(source[from + i]!, weight)) | 0;
    }
    const to = y * stride;
    for (let i = 0; i < stride; i++) data[to + i] = clip(sums[i]! >> PRECISION);
  }
  return { data, width: image.width, height };
}

const clip = (value: number) => (value < 0 ? 0 : value > 255 ? 255 : value);
