/** Sums by segment on the WebGPU engine, the gradient of gathering. */
import * as tf from '@tensorflow/tfjs-core';
import { SegmentSumProgram } from './segment-sum-program';
import { typed, type WebGpuKernel } from './webgpu-kernel';

/**
 * Sums rows of [S, ...] by segment number to [numSegments, ...]; numbers outside of 0 to numSegments - 1 are left out. The
 * package's own kernel writes those elsewhere, and reads integers as floats.
 */
export const unsortedSegmentSum: WebGpuKernel = {
  name: tf.UnsortedSegmentSum,
  create: () => (call) => {
    const { inputs, attrs, backend } = typed<'x' | 'segmentIds', tf.UnsortedSegmentSumAttrs>(call);
    const { x, segmentIds } = inputs;
    const rowShape = x.shape.slice(segmentIds.shape.length);
    const width = tf.util.sizeFromShape(rowShape);
    const count = tf.util.sizeFromShape(x.shape);
    const dtype = x.dtype === 'float32' ? 'float32' : 'int32';
    return tf.tidy(() => {
      const sums = tf.fill([attrs.numSegments * width], 0, dtype);
      const program = new SegmentSumProgram(count, sums.size, dtype);
      const uniforms = [count, width, attrs.numSegments].map((value) => ({ type: 'int32', data: [value] }));
      if (count > 0) backend.runWebGPUProgram(program, [x, segmentIds], dtype, uniforms, sums);
      return tf.reshape(sums, [attrs.numSegments, ...rowShape]);
    });
  },
};
