/** The public names of @pyramidal/kernels: operations with gradients, on every engine. */
export * as batchNorm from './batch-norm';
export { biasAdd } from './bias-add';
export { conv2d, depthwiseConv2d } from './conv';
export type { ConvOptions, Padding } from './conv';
export { deformableAttention, type MapSize } from './deformable-attention';
export { gelu } from './gelu';
export { groupNorm, type GroupNormOptions } from './group-norm';
export { hardSwish } from './hard-swish';
export { layerNorm } from './layer-norm';
export { linearSumAssignment, type Assignment } from './linear-sum-assignment';
export { nextFloat32 } from './next-float32';
export * as random from './random';
export { recomputed, type Recomputation } from './recomputed';
export { resizeBilinear, resizeNearest } from './resize';
export { inScope } from './scope';
export { softmaxCrossEntropy } from './softmax-cross-entropy';
export { sparseSoftmaxCrossEntropy } from './sparse-softmax-cross-entropy';
export { sumOfSquares } from './sum-of-squares';
