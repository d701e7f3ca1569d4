/** The assignment problem on the WebGPU engine, so that the matching of queries and objects need not be read. */
import { LINEAR_SUM_ASSIGNMENT } from '@pyramidal/kernels/engine';
import * as tf from '@tensorflow/tfjs-core';
import { AssignmentProgram } from './assignment-program';
import { typed, type WebGpuKernel } from './webgpu-kernel';

/** A row without a finite cost has no column: nothing can be thrown here. */
export const linearSumAssignment: WebGpuKernel = {
  name: LINEAR_SUM_ASSIGNMENT,
  create: () => (call) => {
    const { inputs, backend } = typed<'costs' | 'rows' | 'columns', unknown>(call);
    const { costs, rows, columns } = inputs;
    const [images, height, width] = costs.shape as [number, number, number];
    const program = new AssignmentProgram(images, height, width);
    const uniforms = costs.shape.map((length) => ({ type: 'int32', data: [length] }));
    const joined = backend.runWebGPUProgram(program, [costs, rows, columns], 'int32', uniforms);
    return tf.tidy(() => {
      const all = tf.engine().makeTensorFromTensorInfo(joined);
      const part = (start: number, length: number): tf.Tensor =>
        tf.reshape(tf.slice(all, start, images * length), [images, length]);
      return [part(0, height), part(images * height, width)];
    });
  },
};
