/** Sums of many tensors on the WebGPU engine. */
import * as tf from '@tensorflow/tfjs-core';
import { typed, type WebGpuKernel } from './webgpu-kernel';

/** As many at a time as a device takes: with more the package's own kernel writes nothing. */
export const addN: WebGpuKernel = {
  name: tf.AddN,
  create: (builtIn) => (call) => {
    const { inputs, backend } = typed<string, unknown>(call);
    const terms = Object.values(inputs) as tf.Tensor[];
    const most = backend.device.limits.maxStorageBuffersPerShaderStage - 1; // one is the sum's
    if (terms.length <= most) return builtIn(call);
    return tf.tidy(() => {
      let sum = tf.addN(terms.slice(0, most));
      for (let at = most; at < terms.length; at += most - 1) sum = tf.addN([sum, ...terms.slice(at, at + most - 1)]);
      return sum;
    });
  },
};
