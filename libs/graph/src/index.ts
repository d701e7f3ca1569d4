/** Compiles TensorFlow.js steps into graphs, runs them in sessions and exports them. */
export { adamWUpdate } from './adamw-update';
export type { AdamWConstants, AdamWScalars, AdamWState } from './adamw-update';
export { compile } from './compile';
export type { CompiledFunction, CompileOptions, StepInputs, StepTensors } from './compile';
export type { GraphSummary, LoadedGraphSummary } from './explain';
export { exportGraphModel, type GraphModelOptions } from './export/export-graph-model';
export { exportSavedModel, type SavedModelOptions } from './export/export-saved-model';
export { exportOnnxModel } from './onnx/export-onnx-model';
export type { OnnxOptions } from './onnx/lower-recording';
export type { Precision } from './record/half-width';
export * as protobuf from './record/protobuf';
export { RecordingError } from './record/recording-error';
export type { TensorTree } from './record/tensor-tree';
export { joinCluster, type Cluster } from './session/cluster';
export type { SessionConfig } from './session/session-config';
export {
  operationOf,
  scopeOf,
  timeBy,
  timelineJson,
  traceSteps,
  type GroupTime,
  type TraceEntry,
} from './session/trace';
