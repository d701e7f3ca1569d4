/** Non-maximum suppression on the WebGPU engine, which has none that stays on the device. */
import * as tf from '@tensorflow/tfjs-core';
import { SuppressionProgram } from './suppression-program';
import { typed, type WebGpuKernel } from './webgpu-kernel';

/** Greedy suppression with a result of fixed length: rows int32 [K], filled up with 0, and how many of them count. */
export const nonMaxSuppression: WebGpuKernel = {
  name: tf.NonMaxSuppressionV4,
  create: () => (call) => {
    const { inputs, attrs, backend } = typed<'boxes' | 'scores', tf.NonMaxSuppressionV4Attrs>(call);
    const { maxOutputSize: most, iouThreshold, scoreThreshold } = attrs;
    const [count] = inputs.boxes.shape as [number];
    const program = new SuppressionProgram(count, most);
    const joined = backend.runWebGPUProgram(program, [inputs.boxes, inputs.scores], 'int32', [
      { type: 'int32', data: [count] },
      { type: 'int32', data: [most] },
      { type: 'float32', data: [iouThreshold] },
      { type: 'float32', data: [scoreThreshold] },
    ]);
    return tf.tidy(() => {
      const all = tf.engine().makeTensorFromTensorInfo(joined);
      return [tf.slice(all, 0, most), tf.reshape(tf.slice(all, most, 1), [])];
    });
  },
};
