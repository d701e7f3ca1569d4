export { describeNetwork, type DescribeOptions } from './describe-network';
export { drawAttention, type NetworkInput } from './draw-attention';
export { exportNetwork, type ExportOptions } from './export-network';
export { createPredictor, type Predictor } from './predictor';
export { reportBroken } from './report-broken';
export { runApp, type ExitCode, type RunAppOptions } from './run-app';
export type { EvaluateCommand, ExportCommand, InfoCommand, PredictCommand, TaskApp, TrainCommand } from './task-app';
export { trainNetwork, type BatchSource, type NetworkTraining, type SharedConfig } from './train-network';
export type { EvaluationChart } from './training-curves';
