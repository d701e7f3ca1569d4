/** The gradient of max pooling on the WebAssembly engine. */
import * as tf from '@tensorflow/tfjs-core';
import { convAxes } from './conv-geometry';
import type { WasmKernel } from './wasm-tensor';
import { filled, floats, typed } from './wasm-tensor';

/** Sends each gradient to the first largest input of its window; the package's own kernel mixes up positions. */
export const maxPoolGradient: WasmKernel = {
  name: tf.MaxPoolGrad,
  create: () => (call) => {
    const { inputs, attrs, backend } = typed<'dy' | 'input', tf.MaxPoolGradAttrs>(call);
    const [batch, , , channels] = inputs.input.shape as [number, number, number, number];
    const filter = Array.isArray(attrs.filterSize) ? attrs.filterSize : [attrs.filterSize, attrs.filterSize];
    const [h, w] = convAxes(inputs.input.shape, filter, attrs);
    return filled(backend, inputs.input.shape, (dx) => {
      const x = floats(backend, inputs.input);
      const dy = floats(backend, inputs.dy);
      dx.fill(0);
      let from = 0;
      for (let image = 0; image < batch; image++) {
        for (let row = 0; row < h.out; row++) {
          const top = row * h.stride - h.before;
          const [firstRow, lastRow] = [Math.max(0, top), Math.min(h.size, top + h.taps)];
          for (let column = 0; column < w.out; column++) {
            const left = column * w.stride - w.before;
            const [firstColumn, lastColumn] = [Math.max(0, left), Math.min(w.size, left + w.taps)];
            for (let channel = 0; channel < channels; channel++, from++) {
              let largest = -1;
              for (let y = firstRow; y < lastRow; y++) {
                for (let z = firstColumn; z < lastColumn; z++) {
                  const at = ((image * h.size + y) * w.size + z) * channels + channel;
                  if (largest < 0 || x[at]! > x[largest]!) largest = at;
                }
              }
              if (largest >= 0) dx[largest]! += dy[from]!;
            }
          }
        }
      }
    });
  },
};
