export { runApp, type ExitCode, type RunAppOptions } from './run-app';
export type { EvaluateCommand, InfoCommand, PredictCommand, TaskApp, TrainCommand } from './task-app';
