export { adamWUpdate } from './adamw-update';
export type { AdamWConstants, AdamWScalars, AdamWState } from './adamw-update';
export { compile } from './compile';
export type { CompiledFunction, CompileOptions, SavedGraphs, StepInputs, StepTensors } from './compile';
export type { GraphSummary, LoadedGraphSummary } from './explain';
export { exportGraphModel } from './export/export-graph-model';
export { exportSavedModel } from './export/export-saved-model';
export { exportOnnxModel, type OnnxOptions } from './onnx/export-onnx-model';
export * as protobuf from './record/protobuf';
export { RecordingError } from './record/recording-error';
export type { TensorTree } from './record/tensor-tree';
export {
  operationOf,
  timeByOperation,
  timelineJson,
  traceSteps,
  type OperationTime,
  type TraceEntry,
} from './session/trace';
