/** Cumulative sums and products on the WebAssembly engine. */
import * as tf from '@tensorflow/tfjs-core';
import type { WasmKernel } from './wasm-tensor';
import { typed } from './wasm-tensor';

/** The package's own kernels, which write outside of their result when the axis counts from the end. */
export const cumsum = cumulative(tf.Cumsum);
export const cumprod = cumulative(tf.Cumprod);

function cumulative(name: string): WasmKernel {
  return {
    name,
    create: (builtIn) => (call) => {
      const { inputs, attrs } = typed<'x', tf.CumsumAttrs>(call);
      const [axis = 0] = tf.util.parseAxisParam(attrs.axis, inputs.x.shape);
      return builtIn({ ...call, attrs: { ...call.attrs, axis } });
    },
  };
}
