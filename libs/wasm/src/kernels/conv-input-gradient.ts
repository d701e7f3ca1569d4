/** The gradient of a convolution with respect to its input, as convolutions. */
import * as tf from '@tensorflow/tfjs-core';
import type { ConvAxis, ExplicitPad } from './conv-geometry';

/** Convolves [N, H, W, C] with stride 1 and explicit padding. */
type Convolve = (x: tf.Tensor4D, filter: tf.Tensor4D, pad: ExplicitPad) => tf.Tensor4D;

/**
 * Gradient of a convolution with respect to its input: `dy` convolved with the flipped filter. With a stride, every
 * residue of the input position modulo the stride sees its own subset of the taps; the residues are computed one by
 * one and interleaved, so no multiplication with inserted zeros is spent.
 * @param dy [N, h.out, w.out, O]
 * @param filter [kh, kw, ...], not flipped, laid out as `convolve` takes it for `dy`.
 * @returns [N, h.size, w.size, channels]
 */
export function convInputGradient(
  dy: tf.Tensor4D,
  filter: tf.Tensor4D,
  [h, w]: readonly [ConvAxis, ConvAxis],
  channels: number,
  convolve: Convolve,
): tf.Tensor4D {
  const rows = phaseRange(h);
  const columns = phaseRange(w);
  const batch = dy.shape[0];
  const phase = (row: number, column: number): tf.Tensor4D => {
    const taps = phaseTaps(filter, row, h.stride, column, w.stride);
    if (taps.size === 0) return tf.zeros([batch, rows.count, columns.count, channels]);
    const top = taps.shape[0] - 1 - rows.first;
    const left = taps.shape[1] - 1 - columns.first;
    const bottom = rows.first + rows.count - h.out;
    const right = columns.first + columns.count - w.out;
    return convolve(crop(dy, [top, bottom], [left, right]), taps, [
      [0, 0],
      [Math.max(0, top), Math.max(0, bottom)],
      [Math.max(0, left), Math.max(0, right)],
      [0, 0],
    ]);
  };
  if (h.stride === 1 && w.stride === 1) return phase(0, 0);
  const byRow = range(h.stride).map((row) =>
    tf.stack(
      range(w.stride).map((column) => phase(row, column)),
      3,
    ),
  );
  const interleaved = tf.reshape(tf.stack(byRow, 2), [
    batch,
    rows.count * h.stride,
    columns.count * w.stride,
    channels,
  ]) as tf.Tensor4D;
  const start = [0, h.before - rows.first * h.stride, w.before - columns.first * w.stride, 0];
  return tf.slice(interleaved, start, [batch, h.size, w.size, channels]);
}

/** Positions of the padded input, counted in strides, that hold the input itself. */
function phaseRange({ before, size, stride }: ConvAxis): { first: number; count: number } {
  const first = Math.floor(before / stride);
  return { first, count: Math.ceil((before + size) / stride) - first };
}

/** Every `stride`-th tap from `row` and `column` on, flipped. */
function phaseTaps(filter: tf.Tensor4D, row: number, strideH: number, column: number, strideW: number): tf.Tensor4D {
  const every = (count: number, residue: number, stride: number) =>
    range(count).filter((tap) => tap % stride === residue);
  const rows = every(filter.shape[0], row, strideH).reverse();
  const columns = every(filter.shape[1], column, strideW).reverse();
  if (rows.length === 0 || columns.length === 0) return tf.zeros([0, 0, filter.shape[2], filter.shape[3]]);
  const picked = tf.gather(filter, tf.tensor1d(rows, 'int32'), 0);
  return tf.gather(picked, tf.tensor1d(columns, 'int32'), 1);
}

type Sides = readonly [before: number, after: number];

const cutAway = ([before, after]: Sides): Sides => [Math.max(0, -before), Math.max(0, -after)];

/** Takes away what a negative padding stands for. */
function crop(x: tf.Tensor4D, vertical: Sides, horizontal: Sides): tf.Tensor4D {
  const [top, bottom] = cutAway(vertical);
  const [left, right] = cutAway(horizontal);
  if (top + bottom + left + right === 0) return x;
  const [n, rows, columns, channels] = x.shape;
  return tf.slice(x, [0, top, left, 0], [n, rows - top - bottom, columns - left - right, channels]);
}

const range = (count: number): number[] => Array.from({ length: count }, (_, i) => i);
