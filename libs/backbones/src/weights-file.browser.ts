/** Stands in for `weights-file` in browsers, which have no files. */
import type { TensorFile } from '@pyramidal/checkpoints/portable';

export function openWeightsFile(path: string): TensorFile {
  throw new Error(`${path}: there are no files in a browser; fetch it, and give createBackbone the bytes`);
}
