export { type DType, type StoredTensor, type TensorData, type TensorFile } from './dtype';
export { CheckpointError } from './errors';
export { readSafetensors, writeSafetensors } from './safetensors';
