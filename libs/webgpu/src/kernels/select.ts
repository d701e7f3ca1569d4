/** Choice between two tensors on the WebGPU engine. */
import * as tf from '@tensorflow/tfjs-core';
import { typed, type WebGpuKernel } from './webgpu-kernel';

/** Ranks that the package's own kernel knows. */
const LARGEST_RANK = 4;

/** Element by element, in which the shape does not matter. */
export const select: WebGpuKernel = {
  name: tf.Select,
  create: (builtIn) => (call) => {
    const { inputs } = typed<'condition' | 't' | 'e', unknown>(call);
    const { condition, t, e } = inputs;
    if (t.shape.length <= LARGEST_RANK) return builtIn(call);
    const flat = (x: tf.TensorInfo): tf.Tensor1D => tf.reshape(x as tf.Tensor, [-1]);
    return tf.tidy(() => tf.reshape(tf.where(flat(condition), flat(t), flat(e)), t.shape));
  },
};
