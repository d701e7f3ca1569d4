export { describeNetwork, type DescribeOptions } from './describe-network';
export { createPredictor, type Predictor } from './predictor';
export { reportBroken } from './report-broken';
export { runApp, type ExitCode, type RunAppOptions } from './run-app';
export type { EvaluateCommand, InfoCommand, PredictCommand, TaskApp, TrainCommand } from './task-app';
export { trainingCurves, type EvaluationChart } from './training-curves';
