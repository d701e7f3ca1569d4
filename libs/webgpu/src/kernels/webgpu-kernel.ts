/** What kernels of the WebGPU engine share. */
import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import type * as tf from '@tensorflow/tfjs-core';

/** Threads of a work group that every device takes. */
export const THREADS = 64;

/** What a kernel is called with. */
interface KernelCall<Name extends string, Attrs> {
  readonly inputs: Readonly<Record<Name, tf.TensorInfo>>;
  readonly attrs: Attrs;
  readonly backend: WebGPUBackend;
}

/** A kernel that is not there yet, or one that stands in for the package's own, which it may call. */
export interface WebGpuKernel {
  readonly name: string;
  readonly create: (builtIn: tf.KernelFunc) => tf.KernelFunc;
}

/** A call with the types of its kernel; TensorFlow.js has one type for the calls of all kernels. */
export function typed<Name extends string, Attrs>(call: Parameters<tf.KernelFunc>[0]): KernelCall<Name, Attrs> {
  return {
    inputs: call.inputs as Record<Name, tf.TensorInfo>,
    attrs: call.attrs as Attrs,
    backend: call.backend as WebGPUBackend,
  };
}
