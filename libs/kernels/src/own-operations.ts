/** Forms of kernels by operations of this project's addon; each is null where those do not exist or are not faster. */
export { ownConv3x3 } from './conv-3x3';
export { ownActivation, ownValueAndSlope } from './own-activation';
export { ownDepthwise } from './own-depthwise';
export { type DifferentiableRows, ownDifferentiableLayerNorm, ownLayerNorm } from './own-layer-norm';
export { ownSoftmaxAttention } from './own-softmax-attention';
