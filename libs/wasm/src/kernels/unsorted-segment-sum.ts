/** Sums by segment on the WebAssembly engine, the gradient of gathering. */
import * as tf from '@tensorflow/tfjs-core';
import type { WasmKernel } from './wasm-tensor';
import { filled, floats, typed } from './wasm-tensor';

/** Sums rows of [S, ...] by segment number to [numSegments, ...]; numbers outside of 0 to numSegments - 1 are left out. */
export const unsortedSegmentSum: WasmKernel = {
  name: tf.UnsortedSegmentSum,
  create: () => (call) => {
    const { inputs, attrs, backend } = typed<'x' | 'segmentIds', tf.UnsortedSegmentSumAttrs>(call);
    const { x, segmentIds } = inputs;
    const rowShape = x.shape.slice(segmentIds.shape.length);
    const width = tf.util.sizeFromShape(rowShape);
    const write = (sums: Float32Array): void => {
      const rows = floats(backend, x);
      const segments = backend.typedArrayFromHeap(segmentIds);
      sums.fill(0);
      for (let row = 0; row < segments.length; row++) {
        const segment = segments[row]!;
        if (segment < 0 || segment >= attrs.numSegments) continue;
        for (let k = 0; k < width; k++) sums[segment * width + k]! += rows[row * width + k]!;
      }
    };
    return filled(backend, [attrs.numSegments, ...rowShape], write, x.dtype);
  },
};
