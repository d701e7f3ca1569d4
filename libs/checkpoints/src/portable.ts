/** What needs no file system: it runs in browsers too. */
export type { DType, StoredTensor, TensorData, TensorFile } from './dtype';
export { CheckpointError } from './errors';
export { compareWeights, loadWeights, WeightsError, type LoadOptions, type LoadReport } from './load-weights';
export { finalWeights, splitModel, type ModelSplit } from './names';
export { parseSafetensors } from './parse-safetensors';
