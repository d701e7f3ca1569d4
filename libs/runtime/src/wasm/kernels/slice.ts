import * as tf from '@tensorflow/tfjs-core';
import type { WasmKernel } from './wasm-tensor';
import { filled, floats, typed } from './wasm-tensor';

/** Below so many neighbouring floats the package's own loop is as fast. */
const LONG_RUN = 32;

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
    if (x.dtype !== 'float32' || run < LONG_RUN) return builtIn(call);
    tf.slice_util.assertParamsValid(x as tf.Tensor, begin, size);
    const strides = [...tf.util.computeStrides(x.shape), 1];
    const first = begin.reduce((place, start, axis) => place + start * strides[axis]!, 0);
    return filled(backend, size, (values) => {
      const source = floats(backend, x);
      const index = new Array<number>(outer).fill(0);
      for (let target = 0, place = first; target < values.length; target += run) {
        values.set(source.subarray(place, place + run), target);
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

/** How many trailing axes are taken whole. */
function wholeAxes(shape: readonly number[], size: readonly number[]): number {
  let count = 0;
  while (count < shape.length && size[shape.length - 1 - count] === shape[shape.length - 1 - count]) count++;
  return count;
}
