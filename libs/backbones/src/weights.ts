/** Published or trained weights into a backbone. */
import { finalWeights, loadWeights, parseSafetensors, type StoredTensor } from '@pyramidal/checkpoints/portable';
import type { Backbone } from '@pyramidal/nn';
import { openWeightsFile } from '#weights-file';

/** A weights file: its path where there is a file system, or its bytes, of a safetensors file. */
export type WeightsSource = string | Uint8Array | ArrayBuffer;

/**
 * Gives a backbone the values of a weights file: its own, or those of a classifier, a detector or a segmentor around it;
 * the averages where training here kept them.
 * @throws CheckpointError if the file is damaged; WeightsError if anything is missing, unexpected or mis-shaped.
 */
export function takeWeights(backbone: Backbone, source: WeightsSource): void {
  const load = (tensors: ReadonlyMap<string, StoredTensor>) => loadWeights(backbone, finalWeights(tensors));
  if (typeof source !== 'string') {
    load(parseSafetensors(source).tensors);
    return;
  }
  const file = openWeightsFile(source);
  try {
    load(file.tensors);
  } finally {
    file.close();
  }
}
