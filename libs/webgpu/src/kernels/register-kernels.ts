/** The kernels that this package adds to TensorFlow.js's WebGPU engine, or replaces in it. */
import '@tensorflow/tfjs-backend-webgpu';
import * as tf from '@tensorflow/tfjs-core';
import { addN } from './add-n';
import { linearSumAssignment } from './linear-sum-assignment';
import { nonMaxSuppression } from './non-max-suppression';
import { pad } from './pad';
import { indicesOfExtremes, reductions } from './reductions';
import { select } from './select';
import { tile } from './tile';
import { transpose } from './transpose';
import { unsortedSegmentSum } from './unsorted-segment-sum';
import type { WebGpuKernel } from './webgpu-kernel';

const KERNELS: readonly WebGpuKernel[] = [
  ...reductions,
  ...indicesOfExtremes,
  ...[addN, pad, select, tile, transpose],
  ...[linearSumAssignment, nonMaxSuppression, unsortedSegmentSum],
];

/** Registers the kernels that training needs and the package lacks or has wrong. To be called once. */
export function registerKernels(): void {
  for (const { name, create } of KERNELS) {
    const present = tf.getKernel(name, 'webgpu');
    if (present) tf.unregisterKernel(name, 'webgpu');
    const kernelFunc = create(present?.kernelFunc ?? missing(name));
    tf.registerKernel({ ...present, kernelName: name, backendName: 'webgpu', kernelFunc });
  }
}

function missing(name: string): tf.KernelFunc {
  return () => {
    throw new Error(`webgpu: the package has no kernel ${name}`);
  };
}
