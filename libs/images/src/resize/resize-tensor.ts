/** Pictures on the engine, resized by the arithmetic of `resizeImage`: for models that take photographs as they are. */
import * as tf from '@tensorflow/tfjs-core';
import type { Size } from '../rgb-image';
import { clamp, columnTaps, rowTaps } from './resize-opencv';
import { BICUBIC, type Filter, PRECISION, windows } from './resize-pillow';

export interface ResizeTensorOptions extends Size {
  readonly convention: 'opencv-bilinear' | 'pillow-bicubic';
}

/**
 * Resizes with the pixels of `resizeImage`: OpenCV's to the last bit; of Pillow's fewer than one in a thousand differ, by 1,
 * where a sum in float32 lies on another side of a half than the sum of integers.
 * @param pixels float32 [1, h, w, 3], whole numbers from 0 to 255.
 * @returns such numbers, float32 [1, height, width, 3].
 */
export function resizeTensor(pixels: tf.Tensor4D, { convention, ...size }: ResizeTensorOptions): tf.Tensor4D {
  const [, height, width] = pixels.shape;
  if (height === size.height && width === size.width) return tf.clone(pixels);
  return tf.tidy(() => (convention === 'opencv-bilinear' ? bilinear(pixels, size) : filtered(pixels, size, BICUBIC)));
}

function bilinear(pixels: tf.Tensor4D, { width, height }: Size): tf.Tensor4D {
  const [, h, w] = pixels.shape;
  if (h === 2 * height && w === 2 * width) return tf.floor(tf.add<tf.Tensor4D>(tf.avgPool(pixels, 2, 2, 'valid'), 0.5));
  const columns = columnTaps(w, width);
  const [left, right] = [0, 1].map((step) => tf.gather(pixels, indices(columns.index, step, w), 2));
  const weightsOf = (weights: Int32Array, shape: number[]) => tf.tensor(Float32Array.from(weights), shape);
  const along = [width, 1];
  const sums = tf.add(tf.mul(left!, weightsOf(columns.near, along)), tf.mul(right!, weightsOf(columns.far, along)));
  const stretched = floorOf(sums, 16);
  const rows = rowTaps(h, height);
  const [upper, lower] = [rows.near, rows.far].map((weights, step) =>
    cutProduct(tf.gather(stretched, indices(rows.index, step, h), 1), weightsOf(weights, [height, 1, 1])),
  );
  return floorOf(tf.add(tf.add(upper!, lower!), 2), 4);
}

const indices = (index: Int32Array, step: number, length: number): tf.Tensor1D =>
  tf.tensor1d(
    index.map((first) => clamp(first + step, length)),
    'int32',
  );

/** The product without its last 16 bits; it has 26, more than a float32 holds, and is taken in two parts. */
function cutProduct(values: tf.Tensor, weights: tf.Tensor): tf.Tensor {
  const high = floorOf(values, 256);
  const low = tf.sub(values, tf.mul(high, 256));
  return floorOf(tf.add(tf.mul(high, weights), floorOf(tf.mul(low, weights), 256)), 256);
}

/** Exact, as the divisors here are powers of two. */
const floorOf = <T extends tf.Tensor>(values: tf.Tensor, divisor: number): T => tf.floor(tf.div<T>(values, divisor));

/** Rows are filtered first and rounded, then columns; each is a product with a matrix. */
function filtered(pixels: tf.Tensor4D, { width, height }: Size, filter: Filter): tf.Tensor4D {
  const [, h, w] = pixels.shape;
  const byColumn = tf.reshape<tf.Rank.R2>(tf.transpose(tf.reshape(pixels, [h, w, 3]), [1, 0, 2]), [w, h * 3]);
  const stretched = tf.reshape(roundToBytes(tf.matMul(filterMatrix(w, width, filter), byColumn)), [width, h, 3]);
  const byRow = tf.reshape<tf.Rank.R2>(tf.transpose(stretched, [1, 0, 2]), [h, width * 3]);
  return tf.reshape(roundToBytes(tf.matMul(filterMatrix(h, height, filter), byRow)), [1, height, width, 3]);
}

const roundToBytes = (values: tf.Tensor): tf.Tensor => tf.clipByValue(tf.floor(tf.add(values, 0.5)), 0, 255);

/** Weights of every source for every output, [to, from]. */
function filterMatrix(from: number, to: number, filter: Filter): tf.Tensor2D {
  const { start, count, weights, size } = windows(from, to, filter);
  const matrix = new Float32Array(to * from);
  for (let i = 0; i < to; i++) {
    for (let k = 0; k < count[i]!; k++) matrix[i * from + start[i]! + k] = weights[i * size + k]! / 2 ** PRECISION;
  }
  return tf.tensor2d(matrix, [to, from]);
}
