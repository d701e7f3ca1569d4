/** The kernels that this package adds to TensorFlow.js's WebAssembly engine, or replaces in it. */
import { replaceKernels, type KernelReplacement } from '@pyramidal/kernels/engine';
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

const KERNELS: readonly KernelReplacement[] = [
  ...[conv2d, conv2dInputGradient, conv2dFilterGradient],
  ...[depthwiseConv2d, depthwiseInputGradient, depthwiseFilterGradient],
  ...[batchMatMul, sum, mean, prod, any, all, cast, clipByValue, cumsum, cumprod],
  ...[slice, split, tile, gather],
  ...[maxPoolGradient, resizeNearestGradient, unsortedSegmentSum],
];

/** Registers the kernels that training needs and the package lacks, has wrong, or has slow. */
export const registerKernels = (): void => replaceKernels('wasm', KERNELS);
