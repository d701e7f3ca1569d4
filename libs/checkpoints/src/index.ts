/** The public names of @pyramidal/checkpoints. */
export { openCheckpoint, type Checkpoint, type CheckpointOptions } from './checkpoint';
export { type DType, type StoredTensor, type TensorData, type TensorFile } from './dtype';
export { CheckpointError } from './errors';
export { exportWeights } from './export-weights';
export {
  compareWeights,
  loadWeights,
  MisfitError,
  WeightsError,
  type LoadOptions,
  type LoadReport,
} from './load-weights';
export { describeStart, startFromWeights } from './starting-weights';
export { finalWeights, modelWeights } from './names';
export { parseSafetensors } from './parse-safetensors';
export { readSafetensors, writeSafetensors } from './safetensors';
