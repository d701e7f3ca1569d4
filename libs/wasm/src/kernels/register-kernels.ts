/** The kernels that this package adds to TensorFlow.js's WebAssembly engine, or replaces in it. */
import * as tf from '@tensorflow/tfjs-core';
import { batchMatMul } from './batch-mat-mul';
import { cast } from './cast';
import { conv2d, conv2dFilterGradient, conv2dInputGradient } from './conv2d';
import { clipByValue } from './clip-by-value';
import { cumprod, cumsum } from './cumulative';
import { depthwiseConv2d, depthwiseFilterGradient, depthwiseInputGradient } from './depthwise';
import { all, any, prod } from './empty-reductions';
import { gather } from './gather';
import { maxPoolGradient } from './max-pool-gradient';
import { resizeNearestGradient } from './resize-nearest-gradient';
import { slice, split } from './slice';
import { mean, sum } from './sums';
import { tile } from './tile';
import { unsortedSegmentSum } from './unsorted-segment-sum';
import type { WasmKernel } from './wasm-tensor';

const KERNELS: readonly WasmKernel[] = [
  ...[conv2d, conv2dInputGradient, conv2dFilterGradient],
  ...[depthwiseConv2d, depthwiseInputGradient, depthwiseFilterGradient],
  ...[batchMatMul, sum, mean, prod, any, all, cast, clipByValue, cumsum, cumprod],
  ...[slice, split, tile, gather],
  ...[maxPoolGradient, resizeNearestGradient, unsortedSegmentSum],
];

const OURS = new WeakSet<tf.KernelFunc>();

/** Registers the kernels that training needs and the package lacks, has wrong, or has slow. May be called again. */
export function registerKernels(): void {
  for (const { name, create } of KERNELS) {
    const present = tf.getKernel(name, 'wasm');
    if (present && OURS.has(present.kernelFunc)) continue;
    if (present) tf.unregisterKernel(name, 'wasm');
    const kernelFunc = create(present?.kernelFunc ?? missing(name));
    OURS.add(kernelFunc);
    tf.registerKernel({ ...present, kernelName: name, backendName: 'wasm', kernelFunc });
  }
}

function missing(name: string): tf.KernelFunc {
  return () => {
    throw new Error(`wasm: the package has no kernel ${name}`);
  };
}
