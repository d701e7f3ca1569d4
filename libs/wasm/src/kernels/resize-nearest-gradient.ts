/** The gradient of nearest-neighbour resizing on the WebAssembly engine. */
import * as tf from '@tensorflow/tfjs-core';
import type { WasmKernel } from './wasm-tensor';
import { filled, floats, typed } from './wasm-tensor';

/** Adds each gradient to the pixel it was copied from; the package's own kernel leaves memory uninitialised. */
export const resizeNearestGradient: WasmKernel = {
  name: tf.ResizeNearestNeighborGrad,
  create: () => (call) => {
    const { inputs, attrs, backend } = typed<'images' | 'dy', tf.ResizeNearestNeighborGradAttrs>(call);
    const [batch, height, width, channels] = inputs.images.shape as [number, number, number, number];
    const [, outHeight, outWidth] = inputs.dy.shape as [number, number, number];
    const rows = sources(height, outHeight, attrs.alignCorners);
    const columns = sources(width, outWidth, attrs.alignCorners);
    return filled(backend, inputs.images.shape, (dx) => {
      const dy = floats(backend, inputs.dy);
      dx.fill(0);
      let from = 0;
      for (let image = 0; image < batch; image++) {
        for (const row of rows) {
          for (const column of columns) {
            const at = ((image * height + row) * width + column) * channels;
            for (let channel = 0; channel < channels; channel++) dx[at + channel]! += dy[from++]!;
          }
        }
      }
    });
  },
};

/** For each output index, the input index that is copied there. */
function sources(size: number, out: number, alignCorners: boolean): Int32Array {
  const scale = alignCorners && out > 1 ? (size - 1) / (out - 1) : size / out;
  return Int32Array.from({ length: out }, (_, i) =>
    Math.min(size - 1, alignCorners ? Math.round(i * scale) : Math.floor(i * scale)),
  );
}
