/** The public names of @pyramidal/nn. */
export type { MapSize } from '@pyramidal/kernels';
export { Backbone, Classifier, LEVELS, type Level, type LevelSpec, type Pyramid } from './backbone';
export { BatchNorm } from './batch-norm';
export { Conv2d, DepthwiseConv2d, type ConvOptions } from './conv';
export { ConvModule, type ConvModuleOptions } from './conv-module';
export { ForwardPass, inferencePass, type AttentionObserver, type AttentionView } from './forward-pass';
export * as initializers from './initializers';
export { LayerNorm } from './layer-norm';
export { fromTorchOrder, toTorchOrder, type Layout } from './layout';
export { Linear } from './linear';
export { crossEntropy } from './losses';
export { Mlp } from './mlp';
export { Module } from './module';
export { countMultiplyAdds, type MultiplyAdds } from './multiply-adds';
export type { Neck } from './neck';
export { Parameter } from './parameter';
export { SeparableConv2d } from './separable-conv';
