/** The weights of a module as official Python code reads them. */
import type { Module } from '@pyramidal/nn';
import type { StoredTensor } from './dtype';
import { officialNames } from './names';

/**
 * The weights of a module as official Python code expects them: its names, also those of shared tensors, and PyTorch's
 * layouts. Written to a file they load there with `load_state_dict(strict=True)`.
 */
export async function exportWeights(module: Module): Promise<ReadonlyMap<string, StoredTensor>> {
  const tensors = new Map<string, StoredTensor>();
  for (const [name, parameter] of module.state()) {
    tensors.set(name, { dtype: 'float32', shape: parameter.torchShape, data: await parameter.toTorch() });
  }
  for (const [alias, name] of module.aliases()) tensors.set(alias, tensors.get(name)!);
  return officialNames(tensors);
}
