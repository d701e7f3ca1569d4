/** Casts of whole numbers and truth values to float32 on the WebGPU engine. */
import * as tf from '@tensorflow/tfjs-core';
import { typed, type WebGpuKernel } from './webgpu-kernel';

/** The package calls the same memory float32, which products of matrices then refuse: they read it as what it is. */
export const cast: WebGpuKernel = {
  name: tf.Cast,
  create: (builtIn) => (call) => {
    const { inputs, attrs, backend } = typed<'x', tf.CastAttrs>(call);
    const { x } = inputs;
    const isStoredSo = backend.tensorMap.get(x.dataId).dtype === attrs.dtype;
    if (attrs.dtype !== 'float32' || isStoredSo || x.dtype === 'complex64') return builtIn(call);
    return tf.tidy(() => {
      const renamed = tf.engine().makeTensorFromTensorInfo(builtIn(call) as tf.TensorInfo);
      return tf.mul(renamed, 1);
    });
  },
};
