/** Clipping of whole numbers on the WebAssembly engine. */
import * as tf from '@tensorflow/tfjs-core';
import type { WasmKernel } from './wasm-tensor';
import { filled, floats, typed } from './wasm-tensor';

/** The package's own kernel reads whole numbers as if they were float32. */
export const clipByValue: WasmKernel = {
  name: tf.ClipByValue,
  create: (builtIn) => (call) => {
    const { inputs, attrs, backend } = typed<'x', tf.ClipByValueAttrs>(call);
    const { x } = inputs;
    if (x.dtype === 'float32') return builtIn(call);
    const write = (clipped: Float32Array): void => {
      const numbers = floats(backend, x);
      for (let i = 0; i < clipped.length; i++) {
        clipped[i] = Math.min(attrs.clipValueMax, Math.max(attrs.clipValueMin, numbers[i]!));
      }
    };
    return filled(backend, x.shape, write, x.dtype);
  },
};
