/** What every task's program shares. */
export { openConfig } from './choose-config';
export { evaluationBatchSize, trainingBatchSize, withBatchSize } from './batch-size';
export { classWeights } from './class-weights';
export { countProgress, type CountProgress } from './count-progress';
export { checkImages } from './check-images';
export { describeData, type ReportedSplit } from './data-report';
export { describeNetwork, type DescribeOptions } from './describe-network';
export { drawAttention, type NetworkInput } from './draw-attention';
export { exportNetwork, type ExportOptions, type ServingTask } from './export-network';
export { exportOnnx, type OnnxTask } from './export-onnx';
export { findImages } from './find-images';
export { freezeStages } from './freeze-stages';
export { ClosedError } from './inference/closed-error';
export type { ImageQueue } from './inference/image-queue';
export {
  collectImages,
  streamImages,
  type CallOptions,
  type Found,
  type FoundIn,
  type Images,
  type StreamOptions,
} from './inference/image-stream';
export { commandOf, openModel, type OpenedModel, type OpenOptions } from './inference/open-model';
export { JsonList } from './json-list';
export { requireKnownClasses } from './known-classes';
export { createPredictor, type Predictor } from './predictor';
export { reportBroken } from './report-broken';
export { runProgram, type ExitCode } from '@pyramidal/program';
export { runApp, type RunAppOptions } from './run-app';
export type {
  DataCommand,
  EvaluateCommand,
  ExportCommand,
  InfoCommand,
  PredictCommand,
  ServeCommand,
  TaskApp,
  TrainCommand,
  TrainedCommand,
} from './task-app';
export { trainNetwork, type BatchSource, type NetworkTraining, type SharedConfig } from './train-network';
export { heldShare, ownSet, requireValidation } from './validation-set';
export { describedConfig, openTrainedNetwork, withTrainedNetwork, type NetworkTask } from './trained-network';
export type { EvaluationChart } from './training-curves';
export { writePredictions, type Predictions } from './write-predictions';
