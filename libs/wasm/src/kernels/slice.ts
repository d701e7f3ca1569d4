/** Slices and splits on the WebAssembly engine. */
import * as tf from '@tensorflow/tfjs-core';
import type { WasmKernel } from './wasm-tensor';
import { copyFloats, filled, floats, runKernel, typed } from './wasm-tensor';

/** Copies runs of neighbouring numbers; the package copies number by number. */
export const slice: WasmKernel = {
  name: tf.Slice,
  create: (builtIn) => (call) => {
    const { inputs, attrs, backend } = typed<'x', tf.SliceAttrs>(call);
    const { x } = inputs;
    const [begin, size] = tf.slice_util.parseSliceParams(x as tf.Tensor, attrs.begin, attrs.size) as [
      number[],
      number[],
    ];
    const whole = wholeAxes(x.shape, size);
    const outer = Math.max(0, x.shape.length - whole - 1);
    const run = tf.util.sizeFromShape(size.slice(outer));
    if (x.dtype !== 'float32' || run === 0) return builtIn(call);
    tf.slice_util.assertParamsValid(x as tf.Tensor, begin, size);
    const strides = [...tf.util.computeStrides(x.shape), 1];
    const first = begin.reduce((place, start, axis) => place + start * strides[axis]!, 0);
    return filled(backend, size, (values) => {
      const source = floats(backend, x);
      const index = new Array<number>(outer).fill(0);
      for (let target = 0, place = first; target < values.length; target += run) {
        copyFloats(source, place, values, target, run);
        for (let axis = outer - 1; axis >= 0; axis--) {
          place += strides[axis]!;
          if (++index[axis]! < size[axis]!) break;
          place -= strides[axis]! * size[axis]!;
          index[axis] = 0;
        }
      }
    });
  },
};

/** Slices one after the other; the package's own kernel copies number by number, too. */
export const split: WasmKernel = {
  name: tf.SplitV,
  create: () => (call) => {
    const { inputs, attrs } = typed<'x', tf.SplitVAttrs>(call);
    const x = inputs.x as tf.Tensor;
    const [axis] = tf.util.parseAxisParam(attrs.axis, x.shape) as [number];
    const begin = x.shape.map(() => 0);
    return tf.backend_util.prepareSplitSize(x, attrs.numOrSizeSplits, axis).map((width) => {
      const size = x.shape.map((whole, i) => (i === axis ? width : whole));
      const part = runKernel(tf.Slice, { x }, { begin: [...begin], size });
      begin[axis]! += width;
      return part;
    });
  },
};

/** How many trailing axes are taken whole. */
function wholeAxes(shape: readonly number[], size: readonly number[]): number {
  let count = 0;
  while (count < shape.length && size[shape.length - 1 - count] === shape[shape.length - 1 - count]) count++;
  return count;
}
