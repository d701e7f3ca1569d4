/** Gathering along an axis on the WebAssembly engine. */
import * as tf from '@tensorflow/tfjs-core';
import type { WasmKernel } from './wasm-tensor';
import { copyFloats, filled, floats, typed } from './wasm-tensor';

/** Copies what an index means as a whole; the package copies number by number. */
export const gather: WasmKernel = {
  name: tf.GatherV2,
  create: (builtIn) => (call) => {
    const { inputs, attrs, backend } = typed<'x' | 'indices', tf.GatherV2Attrs>(call);
    const { x, indices } = inputs;
    const [axis] = tf.util.parseAxisParam(attrs.axis, x.shape) as [number];
    const { collectGatherOpShapeInfo } = tf.backend_util.segment_util;
    const shapes = collectGatherOpShapeInfo(x as tf.Tensor, indices as tf.Tensor, axis, attrs.batchDims);
    const { batchSize, outerSize, dimSize, sliceSize, outputShape } = shapes;
    const places = backend.readSync(indices.dataId) as Int32Array;
    const isInside = places.every((place) => place >= 0 && place < dimSize);
    if (x.dtype !== 'float32' || !isInside) return builtIn(call);
    const count = places.length / batchSize;
    return filled(backend, outputShape, (values) => {
      const source = floats(backend, x);
      for (let outer = 0, to = 0; outer < batchSize * outerSize; outer++) {
        const first = Math.floor(outer / outerSize) * count;
        for (let i = first; i < first + count; i++, to += sliceSize) {
          copyFloats(source, (outer * dimSize + places[i]!) * sliceSize, values, to, sliceSize);
        }
      }
    });
  },
};
