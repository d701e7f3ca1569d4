/** Sines and cosines that tell a transformer where things are (Vaswani et al. 2017; in two dimensions DETR, appendix A.4). */
import * as tf from '@tensorflow/tfjs-core';
import type { LevelPadding } from './padding';

/** The settings by which published models differ. */
export interface SineOptions {
  /** Of the wave lengths, which grow from 2 pi to 2 pi times it. */
  readonly temperature: number;
  /** Added to the number of a cell, which counts from 1. */
  readonly offset: number;
}

const SCALE = 2 * Math.PI;
const EPSILON = 1e-6;

/**
 * The code of every cell by its place within the image; what stands in padding is never read.
 * @param channels of the code, a multiple of 4: the first half tells y, the second x.
 * @returns float32 [N, H W, channels].
 */
export function sinePosition(
  { size, rows, columns }: LevelPadding,
  channels: number,
  options: SineOptions,
): tf.Tensor3D {
  const { temperature, offset } = options;
  return tf.tidy(() => {
    const [height, width] = size;
    const images = rows.shape[0];
    const along = (valid: tf.Tensor2D): tf.Tensor3D => {
      const count = tf.sum(valid, 1, true);
      const number = tf.minimum(tf.range(1, valid.shape[1] + 1), count);
      const place = tf.mul(tf.div(tf.add(number, offset), tf.add(count, EPSILON)), SCALE);
      return waves(place, channels / 2, temperature) as tf.Tensor3D;
    };
    const shape = [images, height, width, channels / 2];
    const y = tf.broadcastTo(tf.expandDims(along(rows), 2), shape);
    const x = tf.broadcastTo(tf.expandDims(along(columns), 1), shape);
    return tf.reshape(tf.concat([y, x], 3), [images, height * width, channels]);
  });
}

/**
 * The code of each of some numbers, one after another.
 * @param numbers float32 [..., K], 0 to 1. @param channels of one number, an even number.
 * @returns float32 [..., K channels].
 */
export function sineCode(numbers: tf.Tensor3D, channels: number, temperature: number): tf.Tensor3D {
  return tf.tidy(() => {
    const [images, queries, count] = numbers.shape;
    return tf.reshape(waves(tf.mul(numbers, SCALE), channels, temperature), [images, queries, count * channels]);
  });
}

/** Sine and cosine by turns at falling frequencies: [...] -> [..., channels]. */
function waves(place: tf.Tensor, channels: number, temperature: number): tf.Tensor {
  const lengths = Array.from({ length: channels / 2 }, (_, k) => temperature ** ((2 * k) / channels));
  const angles = tf.div(tf.expandDims(place, -1), tf.tensor1d(lengths));
  return tf.reshape(tf.stack([tf.sin(angles), tf.cos(angles)], -1), [...place.shape, channels]);
}
