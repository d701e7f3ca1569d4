/** Programs of TensorFlow.js's WebGPU engine that compute something else than they say, replaced by right ones on every device. */
import type { WebGPUProgram } from '@tensorflow/tfjs-backend-webgpu';
import { type Exchanged, PlainProductProgram } from './kernels/plain-product-program';

/**
 * Products of few values that are sums of 2000 products or more are summed in parts, by `MatMulSplitKProgram`. With the second
 * matrix exchanged it reads that one as if it were not (4.22): such are the gradients of wide layers.
 */
export function corrected(program: WebGPUProgram): WebGPUProgram {
  if (program.constructor.name !== 'MatMulSplitKProgram') return program;
  const { outputShape, transposeA, transposeB } = program as WebGPUProgram & Exchanged;
  return transposeB ? new PlainProductProgram(outputShape, { transposeA, transposeB }) : program;
}
