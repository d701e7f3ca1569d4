/** Repetition of a tensor along its axes on the WebAssembly engine. */
import * as tf from '@tensorflow/tfjs-core';
import type { WasmKernel } from './wasm-tensor';
import { typed } from './wasm-tensor';

/** Repeats axis by axis, a single row by a broadcast product; the package's own kernel is a hundred times slower. */
export const tile: WasmKernel = {
  name: tf.Tile,
  create: (builtIn) => (call) => {
    const { inputs, attrs } = typed<'x', tf.TileAttrs>(call);
    if (inputs.x.dtype !== 'float32') return builtIn(call);
    return tf.tidy(() =>
      attrs.reps.reduce((x, times, axis) => repeat(x, axis, times), tf.clone(inputs.x as tf.Tensor)),
    );
  },
};

function repeat(x: tf.Tensor, axis: number, times: number): tf.Tensor {
  if (times === 1) return x;
  if (x.shape[axis] === 1) return tf.mul(x, tf.ones(x.shape.map((_, i) => (i === axis ? times : 1))));
  if (times === 0) return tf.zeros(x.shape.map((size, i) => (i === axis ? 0 : size)));
  return tf.concat(new Array<tf.Tensor>(times).fill(x), axis);
}
