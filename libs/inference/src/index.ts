/** A trained model in use: opened from its checkpoint, images of any number of callers through it in batches. */
export { ClosedError } from './closed-error';
export { evaluationBatchSize } from './evaluation-batch-size';
export { findWeights, type FoundWeights, isRun } from './find-weights';
export { GraphSizes } from './graph-sizes';
export type { ImageQueue, ImageWork } from './image-queue';
export {
  streamImages,
  type CallOptions,
  type Found,
  type FoundIn,
  type ImageRunner,
  type Images,
  type StreamOptions,
} from './image-stream';
export { normalisedImages } from './normalised-images';
export { openConfig } from './open-config';
export { commandOf, openModel, type OpenedModel, type OpenOptions } from './open-model';
export { createPredictor, type Predictor } from './predictor';
export { TrainedModel } from './trained-model';
export {
  describedConfig,
  withTrainedNetwork,
  type ConfiguredTask,
  type NetworkTask,
  type TrainedCommand,
} from './trained-network';
