/** The pictures of a batch in one block: normalised float32 values, or bytes, which the engine normalises itself. */
import * as tf from '@tensorflow/tfjs-core';
import type { Size } from './rgb-image';

/** Of one picture or of several, [..., height, width, 3]: bytes, or normalised values. */
export type Pixels = Uint8Array | Float32Array;

export interface PixelPicture<P extends Pixels = Pixels> extends Size {
  readonly pixels: P;
}

/** Pictures on the engine: normalised, float32 [N, H, W, 3], or four bytes in a number, int32 [N, H, 3 W / 4]. */
export type PixelTensor = tf.Tensor4D | tf.Tensor3D;

/** Pictures of one kind in the top left corners of a canvas, zeros beside them: the mean colour of those that are normalised. */
export function stackPixels<P extends Pixels>(pictures: readonly PixelPicture<P>[], canvas: Size): P;
export function stackPixels(pictures: readonly PixelPicture[], canvas: Size): Pixels {
  const isBytes = pictures.every(({ pixels }) => pixels instanceof Uint8Array);
  const size = canvas.height * canvas.width * 3;
  const block = new (isBytes ? Uint8Array : Float32Array)(pictures.length * size);
  pictures.forEach(({ pixels, width, height }, i) => {
    if (width === canvas.width) return block.set(pixels, i * size);
    for (let y = 0; y < height; y++) {
      block.set(pixels.subarray(y * width * 3, (y + 1) * width * 3), i * size + y * canvas.width * 3);
    }
  });
  return block;
}

/** A block of pictures as a tensor. @throws RangeError if rows of bytes do not fill numbers. */
export function pixelTensor(block: Float32Array, size: Size): tf.Tensor4D;
export function pixelTensor(block: Pixels, size: Size): PixelTensor;
export function pixelTensor(block: Pixels, { width, height }: Size): PixelTensor {
  const count = block.length / (height * width * 3);
  if (block instanceof Float32Array) return tf.tensor4d(block, [count, height, width, 3]);
  if (!fitsBytes(width)) throw new RangeError(`pixelTensor: expected a width in fours for bytes, received ${width}`);
  return tf.tensor3d(wordsOf(block), [count, height, (width * 3) / 4], 'int32');
}

/** Whether rows of so many bytes, or pixels, fill numbers of four bytes. */
export const fitsBytes = (width: number): boolean => width % 4 === 0;

/** The same memory as numbers of four bytes. */
export const wordsOf = ({ buffer, byteOffset, byteLength }: Uint8Array): Int32Array =>
  new Int32Array(buffer, byteOffset, byteLength / 4);
