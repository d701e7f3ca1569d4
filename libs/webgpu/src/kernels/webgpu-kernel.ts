/** What kernels of the WebGPU engine share. */
import { typedCall, type KernelCall, type KernelReplacement } from '@pyramidal/kernels/engine';
import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import type * as tf from '@tensorflow/tfjs-core';

export type WebGpuKernel = KernelReplacement;

/** Threads of a work group that every device takes. */
export const THREADS = 64;

/** A call with the types of its kernel. */
export const typed = <Name extends string, Attrs>(
  call: Parameters<tf.KernelFunc>[0],
): KernelCall<Name, Attrs, WebGPUBackend> => typedCall(call);
