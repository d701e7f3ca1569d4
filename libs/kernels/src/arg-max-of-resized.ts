/** The likeliest class of each pixel from class maps that are smaller than the picture. */
import type * as tf from '@tensorflow/tfjs-core';
import { processorOps } from '#native-ops';
import type { MapSize } from './deformable-attention';

/**
 * Which channel is the largest at each cell of a map that is resized to one size after the other (bilinear, corners not aligned);
 * the large maps do not come to exist.
 * @param x float32 [1, H, W, C].
 * @param sizes of which the last is the result's.
 * @returns int32 [h, w], of equal channels the first; null where the engine has no such operation.
 */
export function ownArgMaxOfResized(x: tf.Tensor4D, sizes: readonly MapSize[]): tf.Tensor2D | null {
  const own = processorOps();
  return own === null ? null : own.run<tf.Tensor2D>('PyramidalArgMaxOfResized', [x], [own.int('sizes', sizes.flat())]);
}
