/** Reductions over no elements on the WebAssembly engine. */
import * as tf from '@tensorflow/tfjs-core';
import type { WasmKernel } from './wasm-tensor';
import { filled, typed } from './wasm-tensor';

/** The package's own kernels, which leave results over no elements uninitialised: here they are neutral. */
export const prod = withNeutral(tf.Prod, 1);
export const any = withNeutral(tf.Any, 0);
export const all = withNeutral(tf.All, 1);

function withNeutral(name: string, neutral: number): WasmKernel {
  return {
    name,
    create: (builtIn) => (call) => {
      const { inputs, attrs, backend } = typed<'x', { axis?: number | number[]; keepDims: boolean }>(call);
      const { x } = inputs;
      if (tf.util.sizeFromShape(x.shape) > 0) return builtIn(call);
      const axes = tf.util.parseAxisParam(attrs.axis!, x.shape);
      const kept = x.shape.map((size, axis) => (axes.includes(axis) ? 1 : size));
      const shape = attrs.keepDims ? kept : kept.filter((_, axis) => !axes.includes(axis));
      return filled(backend, shape, (values) => values.fill(neutral), x.dtype);
    },
  };
}
