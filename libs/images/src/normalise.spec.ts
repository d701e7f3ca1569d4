import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import { IMAGENET_NORMALISATION } from './normalisation';
import { imagesToTensor, normaliseImage, restoreImage } from './normalise';
import { type RgbImage, blankImage } from './rgb-image';

const normalisation = { mean: [10, 20, 30], std: [2, 4, 5] } as const;
const flat = (width: number, height: number, colour: [number, number, number]): RgbImage =>
  blankImage({ width, height }, colour);

describe('normaliseImage', () => {
  it('subtracts the mean and divides by the deviation of each channel', () => {
    const image = { width: 2, height: 1, data: Uint8Array.of(10, 20, 30, 14, 16, 255) };
    expect([...normaliseImage(image, normalisation)]).toEqual([0, 0, 0, 2, -1, 45]);
  });

  it('agrees with double precision for every value and any width', () => {
    const { mean, std } = { mean: [123.675, 116.28, 103.53], std: [58.395, 57.12, 57.375] } as const;
    const data = Uint8Array.from({ length: 256 * 3 }, (_, i) => Math.floor(i / 3));
    for (const width of [1, 2, 16, 128, 256]) {
      const out = normaliseImage({ data, width, height: 256 / width }, { mean, std });
      for (let i = 0; i < data.length; i++) {
        expect(Math.abs(out[i]! - (data[i]! - mean[i % 3]!) / std[i % 3]!)).toBeLessThan(1e-6);
      }
    }
  });
});

describe('restoreImage', () => {
  it('gives every value back', () => {
    const image = { width: 16, height: 16, data: Uint8Array.from({ length: 768 }, (_, i) => Math.floor(i / 3)) };
    expect(restoreImage(normaliseImage(image, IMAGENET_NORMALISATION), image, IMAGENET_NORMALISATION)).toEqual(image);
  });
});

describe('imagesToTensor', () => {
  it('puts pictures of several sizes in the corners of one batch, padded with zeros', () => {
    const batch = imagesToTensor([flat(2, 3, [12, 24, 35]), flat(4, 1, [8, 16, 25])], normalisation);
    expect(batch.shape).toEqual([2, 3, 4, 3]);
    const values = batch.dataSync();
    const at = (n: number, y: number, x: number) => [...values.subarray(((n * 3 + y) * 4 + x) * 3).subarray(0, 3)];
    expect(at(0, 2, 1)).toEqual([1, 1, 1]);
    expect(at(0, 2, 2)).toEqual([0, 0, 0]);
    expect(at(1, 0, 3)).toEqual([-1, -1, -1]);
    expect(at(1, 1, 0)).toEqual([0, 0, 0]);
    batch.dispose();
  });

  it('makes one tensor, also of no pictures', () => {
    const before = tf.memory().numTensors;
    const empty = imagesToTensor([], normalisation, { width: 4, height: 2 });
    expect(empty.shape).toEqual([0, 2, 4, 3]);
    empty.dispose();
    expect(tf.memory().numTensors).toBe(before);
  });

  it('names a picture that is too large for the canvas', () => {
    const images = [flat(2, 2, [0, 0, 0]), flat(5, 2, [0, 0, 0])];
    expect(() => imagesToTensor(images, normalisation, { width: 4, height: 4 })).toThrow(
      'expected images up to 4x4, received 5x2 at index 1',
    );
  });
});
