/** The input pixels that one row of a filter sees, as rows of a matrix (im2col, a tap row at a time). */
import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm';
import * as tf from '@tensorflow/tfjs-core';
import type { ConvAxis } from './conv-geometry';
import { copyFloats, filled, floats } from './wasm-tensor';

/** Output rows `from` to `to` (exclusive), counted over all images of the batch. */
interface RowBlock {
  readonly from: number;
  readonly to: number;
}

/** Cuts the output rows of a convolution into blocks of about `floatsPerBlock` patch values. */
function rowBlocks(rows: number, floatsPerRow: number, floatsPerBlock = 1 << 18): RowBlock[] {
  const step = Math.max(1, Math.floor(floatsPerBlock / Math.max(1, floatsPerRow)));
  return Array.from({ length: Math.ceil(rows / step) }, (_, k) => ({
    from: k * step,
    to: Math.min(rows, (k + 1) * step),
  }));
}

/** The sum of a tensor that each block of output rows gives; a block at a time keeps the patches small. */
export function sumOverRowBlocks<T extends tf.Tensor>(
  rows: number,
  floatsPerRow: number,
  zeros: T,
  part: (block: RowBlock) => T,
): T {
  return rowBlocks(rows, floatsPerRow).reduce(
    (sum, block) =>
      tf.tidy(() => {
        const added = tf.add<T>(sum, part(block));
        sum.dispose();
        return added;
      }),
    zeros,
  );
}

/**
 * What one row of filter taps sees: for every output position the `kw` input pixels under it, zero outside the image.
 * @param x float32 [N, H, W, C]
 * @param tapRow which row of taps, 0 to kh - 1.
 * @returns float32 [rows * w.out, kw * C], rows of the block.
 */
export function rowPatches(
  backend: BackendWasm,
  x: tf.TensorInfo,
  [h, w]: readonly [ConvAxis, ConvAxis],
  tapRow: number,
  { from, to }: RowBlock,
): tf.Tensor2D {
  const channels = x.shape[3]!;
  const width = w.taps * channels;
  const isWhole = w.taps === 1 && w.stride === 1 && w.out === w.size;
  return filled(backend, [(to - from) * w.out, width], (patches) => {
    const source = floats(backend, x);
    let target = 0;
    for (let row = from; row < to; row++) {
      const image = Math.floor(row / h.out);
      const y = (row % h.out) * h.stride + tapRow - h.before;
      if (y < 0 || y >= h.size) {
        patches.fill(0, target, (target += w.out * width));
        continue;
      }
      const line = (image * h.size + y) * w.size;
      if (isWhole) {
        patches.set(source.subarray(line * channels, (line + w.size) * channels), target);
        target += w.size * channels;
        continue;
      }
      for (let column = 0; column < w.out; column++, target += width) {
        const left = column * w.stride - w.before;
        const first = Math.max(0, left);
        const last = Math.min(w.size, left + w.taps);
        if (first >= last) {
          patches.fill(0, target, target + width);
          continue;
        }
        const head = target + (first - left) * channels;
        const tail = target + (last - left) * channels;
        if (head > target) patches.fill(0, target, head);
        copyFloats(source, (line + first) * channels, patches, head, tail - head);
        if (tail < target + width) patches.fill(0, tail, target + width);
      }
    }
  }) as tf.Tensor2D;
}
