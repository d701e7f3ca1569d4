// Opening and installing an engine.
export { ENGINE_CHOICES, type Engine, type EngineChoice, type NativeEngine } from './engines';
export { installNative, type InstallOptions, type InstallOutcome } from './install/install-native';
export { openRuntime, type Runtime, type RuntimeOptions } from './open-runtime';
export { RuntimeError } from './runtime-error';

// Kernels.
export { adamWUpdate } from './kernels/adamw-update';
export type { AdamWConstants, AdamWScalars, AdamWState } from './kernels/adamw-update';
export { batchNormInfer, batchNormTrain } from './kernels/batch-norm';
export type { BatchNormInferOptions, BatchNormTrainResult } from './kernels/batch-norm';
export { biasAdd } from './kernels/bias-add';
export { conv2d, depthwiseConv2d } from './kernels/conv';
export type { ConvOptions, Padding } from './kernels/conv';
export { gelu } from './kernels/gelu';
export { hardSwish } from './kernels/hard-swish';
export { layerNorm } from './kernels/layer-norm';
export { dropPath, dropout, foldSeed, randomUniform } from './kernels/random';
export { resizeBilinear, resizeNearest } from './kernels/resize';
export { softmaxCrossEntropy } from './kernels/softmax-cross-entropy';
export { sparseSoftmaxCrossEntropy } from './kernels/sparse-softmax-cross-entropy';
export { sumOfSquares } from './kernels/sum-of-squares';

// Compiled steps.
export { compile } from './compile/compile';
export type { CompiledFunction, CompileOptions, SavedGraphs, StepInputs, StepTensors } from './compile/compile';
export type { GraphSummary, LoadedGraphSummary } from './compile/explain';
export { exportSavedModel } from './compile/export-saved-model';
export { RecordingError } from './compile/recording-error';
export type { TensorTree } from './compile/tensor-tree';
