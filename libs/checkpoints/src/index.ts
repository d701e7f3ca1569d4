/** The public names of @pyramidal/checkpoints. */
export { openCheckpoint, type Checkpoint, type CheckpointOptions } from './checkpoint';
export { type DType, type StoredTensor, type TensorData, type TensorFile } from './dtype';
export { CheckpointError } from './errors';
export { exportWeights } from './export-weights';
export { compareWeights, loadWeights, WeightsError, type LoadOptions, type LoadReport } from './load-weights';
export { describeStart, startFromWeights } from './starting-weights';
export { finalWeights, modelWeights, splitModel, type ModelSplit } from './names';
export { toFloat32 } from './numbers';
export { parseSafetensors } from './parse-safetensors';
export { readSafetensors, writeSafetensors } from './safetensors';
export { readTorch, type TorchFile } from './torch-file';
export { PickleObject } from './pickle-values';
export { TorchTensor } from './torch-tensor';
