import * as tf from '@tensorflow/tfjs-core';
import { compile } from '@pyramidal/graph';
import { IMAGENET_NORMALISATION, normaliseImage, pixelTensor, stackPixels } from '@pyramidal/images';
import { expectNoLeaks, onEngines } from '@pyramidal/testing';
import { normalisedImages } from './normalised-images';

/** Pictures of several sizes that have every byte in every channel. */
const PICTURES = [
  [33, 40],
  [64, 32],
  [7, 9],
].map(([width = 0, height = 0], n) => {
  const data = Uint8Array.from({ length: width * height * 3 }, (_, i) => (Math.floor(i / 3) * (2 * n + 1) + n) % 256);
  return { width, height, data };
});
const CANVAS = { width: 64, height: 48 };

const sizesOf = (): tf.Tensor2D => tf.tensor2d(PICTURES.map(({ width, height }) => [height, width]));
const inBytes = () => stackPixels(PICTURES.map(({ data, ...size }) => ({ ...size, pixels: data })), CANVAS); // prettier-ignore
const inFloats = () => stackPixels(PICTURES.map((picture) => ({ ...picture, pixels: normaliseImage(picture, IMAGENET_NORMALISATION) })), CANVAS); // prettier-ignore

/** Bits of float32 values: -0 is not 0 here. */
const bitsOf = (values: ArrayLike<number>): number[] => Array.from(new Int32Array(Float32Array.from(values).buffer));

onEngines(
  'images that come as bytes',
  () => {
    it.each(['as one graph', 'operation by operation'])('are normalised to the same bits, %s', async (how) => {
      await expectNoLeaks(() => {
        const normalise = ({ images, sizes }: { images: tf.Tensor; sizes: tf.Tensor2D }) => ({
          padded: normalisedImages(images as tf.Tensor3D, sizes),
          whole: normalisedImages(images as tf.Tensor3D),
        });
        const step = compile(normalise);
        const inputs = { images: pixelTensor(inBytes(), CANVAS) as tf.Tensor, sizes: sizesOf() };
        const { padded, whole } = how === 'as one graph' ? step(inputs) : normalise(inputs);
        expect(padded.shape).toEqual([3, 48, 64, 3]);
        expect(bitsOf(padded.dataSync())).toEqual(bitsOf(inFloats()));
        const zeros = { ...CANVAS, data: inBytes().slice(0, 48 * 64 * 3) as Uint8Array };
        const first = whole.dataSync().slice(0, zeros.data.length);
        expect(bitsOf(first)).toEqual(bitsOf(normaliseImage(zeros, IMAGENET_NORMALISATION)));
        tf.dispose([padded, whole, inputs]);
        step.dispose();
      });
    });
  },
  ['tensorflow'],
);

onEngines('images that come normalised', () => {
  it('stay as they are', () => {
    const images = pixelTensor(inFloats() as Float32Array, CANVAS);
    expect(normalisedImages(images)).toBe(images);
    images.dispose();
  });
});
