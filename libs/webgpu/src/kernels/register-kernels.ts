/** The kernels that this package adds to TensorFlow.js's WebGPU engine, or replaces in it. */
import '@tensorflow/tfjs-backend-webgpu';
import { replaceKernels, type KernelReplacement } from '@pyramidal/kernels/engine';
import { addN } from './add-n';
import { cast } from './cast';
import { linearSumAssignment } from './linear-sum-assignment';
import { nonMaxSuppression } from './non-max-suppression';
import { pad } from './pad';
import { indicesOfExtremes, reductions } from './reductions';
import { select } from './select';
import { tile } from './tile';
import { transpose } from './transpose';
import { unsortedSegmentSum } from './unsorted-segment-sum';

const KERNELS: readonly KernelReplacement[] = [
  ...reductions,
  ...indicesOfExtremes,
  ...[addN, cast, pad, select, tile, transpose],
  ...[linearSumAssignment, nonMaxSuppression, unsortedSegmentSum],
];

/** Registers the kernels that training needs and the package lacks or has wrong. */
export const registerKernels = (): void => replaceKernels('webgpu', KERNELS);
