import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import { type Pixels, pixelTensor, stackPixels } from './pixel-batch';

const counting = (length: number): number[] => Array.from({ length }, (_, i) => i + 1);
const pictures = <P extends Pixels>(kind: { from(values: number[]): P }) => [
  { width: 2, height: 1, pixels: kind.from(counting(6)) },
  { width: 4, height: 2, pixels: kind.from(counting(24)) },
];

describe('a block of pictures', () => {
  const canvas = { width: 4, height: 2 };
  const expected = [...counting(6), ...Array<number>(18).fill(0), ...counting(24)];

  it('holds floats in the corners of a canvas', () => {
    const images = pixelTensor(stackPixels(pictures(Float32Array), canvas), canvas);
    expect([images.dtype, images.shape]).toEqual(['float32', [2, 2, 4, 3]]);
    expect(Array.from(images.dataSync())).toEqual(expected);
    images.dispose();
  });

  it('holds bytes, which become a quarter as many numbers', () => {
    const images = pixelTensor(stackPixels(pictures(Uint8Array), canvas), canvas);
    expect([images.dtype, images.shape]).toEqual(['int32', [2, 2, 3]]);
    expect(Array.from(new Uint8Array(images.dataSync().slice().buffer))).toEqual(expected);
    images.dispose();
  });

  it('refuses rows of bytes that do not fill numbers', () => {
    expect(() => pixelTensor(new Uint8Array(18), { width: 3, height: 2 })).toThrow(
      'pixelTensor: expected a width in fours for bytes, received 3',
    );
  });

  it('may hold nothing', () => {
    const images = pixelTensor(stackPixels<Uint8Array>([], canvas), canvas);
    expect(images.shape).toEqual([0, 2, 3]);
    tf.dispose(images);
  });
});
