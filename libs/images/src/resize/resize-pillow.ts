/** Pillow's antialiased resizing, bit for bit. */
import type { RowSink } from './row-sink';
import { put, reserve, rowKernels } from './rows';
import type { Rows, Source, Target } from './target';

/** Pillow keeps 22 bits of each weight, so that 255 times a sum of weights stays within 32 bits. */
export const PRECISION = 22;

export interface Filter {
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
 * `Image.resize` of Pillow on uint8 to the last bit: the filter is widened when shrinking (antialiased), rows are filtered first and
 * rounded to uint8, then columns. Filtered rows wait in a ring that is as long as the tallest window.
 */
export function resizePillow(image: Source, target: Target, sink: RowSink, filter: Filter): void {
  const columns = windows(image.width, target.width, filter);
  const rows = windows(image.height, target.height, filter);
  const pixels = target.mirror ? mirrored(columns) : columns;
  const offsets = pixels.start.map((start) => start * 3);
  const stride = Math.ceil((target.width * 3 + 16) / 16) * 16;
  const [source, offsetTable, columnWeights, rowWeights, ring, out, scratch] = reserve([
    image.width * 3,
    offsets.byteLength,
    pixels.weights.byteLength,
    rows.weights.byteLength,
    stride * rows.size,
    stride,
    sink.scratch,
  ]);
  put(offsetTable, offsets);
  put(columnWeights, pixels.weights);
  put(rowWeights, rows.weights);
  const { filterRow, filterColumns } = rowKernels();
  let filtered = 0;
  for (let y = target.rows.from; y < target.rows.to; y++) {
    const first = rows.start[y]!;
    const end = first + rows.count[y]!;
    for (filtered = Math.max(filtered, first); filtered < end; filtered++) {
      const at = (filtered - image.top) * image.width * 3;
      put(source, image.data.subarray(at, at + image.width * 3));
      const slot = ring + (filtered % rows.size) * stride;
      filterRow(source, offsetTable, columnWeights, pixels.size, target.width, slot);
    }
    const weights = rowWeights + y * rows.size * 4;
    filterColumns(ring, stride, rows.size, first % rows.size, weights, rows.count[y]!, out, target.width * 3);
    sink.write(y, out, scratch);
  }
}

/** The rows of a picture that rows of the resized one are made of. @param from height of the picture. @param to of the resized one. */
export function pillowRows(from: number, to: number, rows: Rows, filter: Filter): Rows {
  const { start, count } = windows(from, to, filter);
  return { from: start[rows.from]!, to: start[rows.to - 1]! + count[rows.to - 1]! };
}

export interface Windows {
  /** First source index of each output's window, and how many sources it has. */
  readonly start: Int32Array;
  readonly count: Int32Array;
  /** `size` weights an output, an even number, of which the first `count` are not 0. */
  readonly weights: Int32Array;
  readonly size: number;
}

/** What every output is the weighted sum of, along one axis. */
export function windows(from: number, to: number, filter: Filter): Windows {
  const scale = from / to;
  const stretch = Math.max(scale, 1);
  const support = filter.support * stretch;
  const size = Math.ceil(support) * 2 + 2;
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

function mirrored({ start, count, weights, size }: Windows): Windows {
  const reversed = new Int32Array(weights.length);
  const outputs = start.length;
  for (let i = 0; i < outputs; i++) {
    reversed.set(weights.subarray(i * size, (i + 1) * size), (outputs - 1 - i) * size);
  }
  return { start: start.toReversed(), count: count.toReversed(), weights: reversed, size };
}
