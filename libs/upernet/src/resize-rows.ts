/** Bilinear resizing of some rows of a map, for maps too large to exist as a whole. */
import * as tf from '@tensorflow/tfjs-core';
import { resizeTo } from './resize-to';
import type { ImageSize } from './slide-windows';

/** Rows from `start` up to `end`. */
export interface Rows {
  readonly start: number;
  readonly end: number;
}

interface Taps {
  readonly lower: Int32Array;
  readonly upper: Int32Array;
  /** Weight of the upper one. */
  readonly weight: Float32Array;
}

/** The rows of the source that some rows of a resized map depend on. */
export function sourceRows(from: number, to: number, rows: Rows): Rows {
  const { lower, upper } = tapsOf(from, to, rows);
  return { start: lower[0]!, end: upper.at(-1)! + 1 };
}

/**
 * Some rows of a map after a bilinear resize (corners not aligned), so that the whole of it is never in memory.
 * @param x float32 [1, h, w, K]: rows `given` of the map, all that `sourceRows` asks for.
 * @param from height of the map that `given` counts in.
 * @returns float32 [1, rows, size.width, K].
 */
export function resizeRows(x: tf.Tensor4D, given: Rows, from: number, size: ImageSize, rows: Rows): tf.Tensor4D {
  return tf.tidy(() => {
    const { lower, upper, weight } = tapsOf(from, size.height, rows);
    const wide = resizeTo(x, [1, x.shape[1], size.width]);
    if (from === size.height) return tf.slice(wide, [0, rows.start - given.start, 0, 0], [-1, weight.length, -1, -1]);
    const pick = (indices: Int32Array): tf.Tensor4D =>
      tf.gather(
        wide,
        tf.tensor1d(
          indices.map((index) => index - given.start),
          'int32',
        ),
        1,
      );
    const low = pick(lower);
    return tf.add(low, tf.mul(tf.sub(pick(upper), low), tf.tensor4d(weight, [1, weight.length, 1, 1])));
  });
}

function tapsOf(from: number, to: number, { start, end }: Rows): Taps {
  const length = end - start;
  const taps = { lower: new Int32Array(length), upper: new Int32Array(length), weight: new Float32Array(length) };
  for (let i = 0; i < length; i++) {
    const source = Math.max(((start + i + 0.5) * from) / to - 0.5, 0);
    const lower = Math.min(Math.floor(source), from - 1);
    taps.lower[i] = lower;
    taps.upper[i] = Math.min(lower + 1, from - 1);
    taps.weight[i] = source - lower;
  }
  return taps;
}
