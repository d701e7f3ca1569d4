/** The public names of @pyramidal/training. */
export { adamW, type AdamWOptions } from './adamw';
export { type CheckpointInfo } from './checkpoint';
export { createOptimizer, type OptimizerOptions } from './create-optimizer';
export {
  describeLoaded,
  loadWeightsFile,
  openWeightsFile,
  startFromFile,
  type LoadedFile,
  type LoadFileOptions,
  type WeightsFile,
} from './load-weights-file';
export { cardTexts, type ModelCard, type ModelClass, type ModelDescription } from './model-card';
export { type Optimizer, type ParameterGroup } from './optimizer';
export type { ProgressStyle } from './progress';
export { readSplit } from './run/read-split';
export { openRunFolder, type RunFolder, type RunFolderOptions, type SplitRecord } from './run/run-folder';
export { createSchedule, type RunLength, type Schedule, type ScheduleOptions } from './schedule';
export { sgd, type SgdOptions } from './sgd';
export type { Team } from './team';
export { TrainingError } from './training-error';
export {
  train,
  type Evaluation,
  type EvaluationContext,
  type TrainingData,
  type TrainOptions,
  type TrainOutcome,
} from './train';
export {
  trainStep,
  type Batch,
  type Losses,
  type StepWorkers,
  type TrainStep,
  type TrainStepOptions,
} from './train-step';
