/** Weights files by their path, in Node. */
import { openCheckpoint, type TensorFile } from '@pyramidal/checkpoints';

/** Opens a safetensors file or a PyTorch checkpoint; `weights-file.browser` stands in where there are no files. */
export const openWeightsFile = (path: string): TensorFile => openCheckpoint(path);
