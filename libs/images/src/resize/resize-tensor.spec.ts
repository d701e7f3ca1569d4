import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import { Random } from '@pyramidal/random';
import { IMAGENET_NORMALISATION } from '../normalisation';
import { normaliseImage, normaliseTensor } from '../normalise';
import type { RgbImage } from '../rgb-image';
import { resizeImage } from './resize';
import { resizeTensor } from './resize-tensor';

function noise(width: number, height: number): RgbImage {
  const random = new Random([width, height]);
  return { width, height, data: Uint8Array.from({ length: width * height * 3 }, () => random.integer(256)) };
}

/** Differences from what `resizeImage` gives, value by value. */
function differences(image: RgbImage, options: Parameters<typeof resizeTensor>[1]): number[] {
  const { data } = resizeImage(image, options);
  const before = tf.memory().numTensors;
  const pixels = tf.tensor4d(Float32Array.from(image.data), [1, image.height, image.width, 3]);
  const resized = resizeTensor(pixels, options);
  expect(resized.shape).toEqual([1, options.height, options.width, 3]);
  const values = resized.dataSync();
  tf.dispose([pixels, resized]);
  expect(tf.memory().numTensors).toBe(before);
  return Array.from(values, (value, i) => Math.abs(value - data[i]!));
}

const SIZES = [
  ['larger', [37, 29], [83, 71]],
  ['smaller', [83, 71], [37, 29]],
  ['another shape', [64, 31], [33, 90]],
  ['half', [40, 30], [20, 15]],
  ['half as wide', [40, 30], [20, 30]],
  ['the same', [19, 23], [19, 23]],
  ['of one pixel', [1, 1], [5, 3]],
  ['to one pixel', [12, 9], [1, 1]],
] as const;

describe('resizeTensor', () => {
  it.each(SIZES)('gives the pixels of OpenCV, %s', (_, [w, h], [width, height]) => {
    const all = differences(noise(w, h), { width, height, convention: 'opencv-bilinear' });
    expect(Math.max(...all)).toBe(0);
  });

  it.each(SIZES)('gives the pixels of Pillow but for sums next to a half, %s', (_, [w, h], [width, height]) => {
    const all = differences(noise(w, h), { width, height, convention: 'pillow-bicubic' });
    expect(Math.max(...all)).toBeLessThanOrEqual(1);
    expect(all.filter((difference) => difference > 0).length).toBeLessThanOrEqual(all.length / 1000);
  });
});

describe('normaliseTensor', () => {
  it('gives the same numbers as normaliseImage', () => {
    const image = noise(9, 7);
    const values = tf.tidy(() =>
      normaliseTensor(tf.tensor4d(Float32Array.from(image.data), [1, 7, 9, 3]), IMAGENET_NORMALISATION).dataSync(),
    );
    expect(values).toEqual(normaliseImage(image, IMAGENET_NORMALISATION));
  });
});
