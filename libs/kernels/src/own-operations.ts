/** Forms of kernels by operations of this project's addon; each is null where those do not exist or are not faster. */
export { ownConv3x3 } from './conv-3x3';
export { ownActivation } from './own-activation';
export { ownDepthwise } from './own-depthwise';
