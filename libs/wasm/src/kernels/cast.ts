/** Casts to bool on the WebAssembly engine. */
import * as tf from '@tensorflow/tfjs-core';
import type { WasmKernel } from './wasm-tensor';
import { filled, floats, typed } from './wasm-tensor';

/** To `bool`, every number but zero is true; the package keeps the lowest byte of the truncated number. */
export const cast: WasmKernel = {
  name: tf.Cast,
  create: (builtIn) => (call) => {
    const { inputs, attrs, backend } = typed<'x', tf.CastAttrs>(call);
    const { x } = inputs;
    if (attrs.dtype !== 'bool' || x.dtype === 'bool' || x.dtype === 'string') return builtIn(call);
    const write = (flags: Float32Array): void => {
      const numbers = floats(backend, x);
      for (let i = 0; i < flags.length; i++) flags[i] = numbers[i] === 0 ? 0 : 1;
    };
    return filled(backend, x.shape, write, 'bool');
  },
};
