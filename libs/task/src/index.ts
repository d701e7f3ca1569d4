/** What every task's program shares: its command line, and what its commands have in common. */
export { checkImages } from './check-images';
export { classWeights } from './class-weights';
export { countProgress } from './count-progress';
export { describeData, passingBroken, type ReportedSplit } from './data-report';
export { describeNetwork } from './describe-network';
export { drawAttention } from './draw-attention';
export { exportNetwork, type ServingTask } from './export-network';
export { exportOnnx, type OnnxTask } from './export-onnx';
export { findImages } from './find-images';
export { JsonList } from './json-list';
export { withMeasuredNetwork } from './measured-network';
export { prepareTraining } from './prepare-training';
export { reportBroken } from './report-broken';
export { takesBytes } from '@pyramidal/kernels';
export { runProgram } from '@pyramidal/program';
export { runApp } from './run-app';
export type {
  DataCommand,
  EvaluateCommand,
  ExportCommand,
  InfoCommand,
  InspectCommand,
  InspectedFiles,
  PredictCommand,
  ServeCommand,
  TaskApp,
  TrainCommand,
} from './task-app';
export { isFirst, type Team } from './team';
export { trainingBatchSize } from './batch-size';
export { trainNetwork, type NetworkEvaluation } from './train-network';
export { writePredictions } from './write-predictions';
