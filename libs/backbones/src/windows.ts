/** Maps cut into windows for local attention (Liu et al. 2021, Swin, section 3.2), and put together again. */
import * as tf from '@tensorflow/tfjs-core';

/** Added to the similarity with a cell that is only padding: no softmax weight is left of it. */
const HIDDEN = -1e9;

/** How a map is cut into square windows, padded at the bottom and right to whole ones. */
export interface Windows {
  readonly height: number;
  readonly width: number;
  /** Windows in a column and in a row. */
  readonly rows: number;
  readonly columns: number;
  readonly side: number;
}

/** @param height of the map, in cells, as its width and the windows' side. */
export function cutWindows(height: number, width: number, side: number): Windows {
  return { height, width, rows: Math.ceil(height / side), columns: Math.ceil(width / side), side };
}

/** float32 [N, H, W, C] -> [N * windows, side * side, C] */
export function toWindows(map: tf.Tensor4D, { height, width, rows, columns, side }: Windows): tf.Tensor3D {
  const [n, , , channels] = map.shape;
  const padded = tf.pad(map, [
    [0, 0],
    [0, rows * side - height],
    [0, columns * side - width],
    [0, 0],
  ]);
  const strips = tf.reshape(padded, [n * rows, side, columns, side * channels]);
  return tf.reshape(tf.transpose(strips, [0, 2, 1, 3]), [n * rows * columns, side * side, channels]);
}

/** The inverse of `toWindows`; the padding falls off: float32 [N * windows, side * side, C] -> [N, H, W, C]. */
export function fromWindows(tokens: tf.Tensor3D, { height, width, rows, columns, side }: Windows): tf.Tensor4D {
  const [count, , channels] = tokens.shape;
  const n = count / (rows * columns);
  const strips = tf.reshape(tokens, [n * rows, columns, side, side * channels]);
  const shape: [number, number, number, number] = [n, rows * side, columns * side, channels];
  const padded = tf.reshape<tf.Rank.R4>(tf.transpose(strips, [0, 2, 1, 3]), shape);
  return tf.slice(padded, [0, 0, 0, 0], [n, height, width, channels]);
}

/**
 * What to add to the similarities of each window so that padding is not attended to.
 * @returns float32 [N * windows, 1, 1, side * side], or undefined where nothing is padded.
 */
export function paddingMask(windows: Windows, n: number): tf.Tensor4D | undefined {
  const { height, width, rows, columns, side } = windows;
  if (height === rows * side && width === columns * side) return undefined;
  const cell = (row: number, column: number): number => (row < height && column < width ? 0 : HIDDEN);
  const mask = Float32Array.from({ length: rows * columns * side * side }, (_, index) => {
    const [window, inside] = [Math.floor(index / side ** 2), index % side ** 2];
    const row = Math.floor(window / columns) * side + Math.floor(inside / side);
    return cell(row, (window % columns) * side + (inside % side));
  });
  return tf.tile(tf.tensor4d(mask, [rows * columns, 1, 1, side * side]), [n, 1, 1, 1]);
}
