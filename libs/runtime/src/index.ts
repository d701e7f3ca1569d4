// Opening and installing an engine.
export { ENGINE_CHOICES, type Engine, type EngineChoice, type NativeEngine } from './engines';
export { installNative, type InstallOptions, type InstallOutcome } from './install/install-native';
export { openRuntime, type Runtime, type RuntimeOptions } from './open-runtime';
export { RuntimeError } from './runtime-error';

// Kernels: those that run everywhere, and one that knows compiled steps.
export * from '@pyramidal/kernels';
export { adamWUpdate } from './kernels/adamw-update';
export type { AdamWConstants, AdamWScalars, AdamWState } from './kernels/adamw-update';

// Compiled steps.
export { compile } from './compile/compile';
export type { CompiledFunction, CompileOptions, SavedGraphs, StepInputs, StepTensors } from './compile/compile';
export type { GraphSummary, LoadedGraphSummary } from './compile/explain';
export { exportGraphModel } from './compile/export-graph-model';
export { exportSavedModel } from './compile/export-saved-model';
export { RecordingError } from './compile/recording-error';
export type { TensorTree } from './compile/tensor-tree';
