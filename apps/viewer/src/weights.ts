/** A dropped weights file. */
import { createBackbone, identifyBackbone, type Identified, type VariantName } from '@pyramidal/backbones';
import { finalWeights, loadWeights, parseSafetensors, type StoredTensor } from '@pyramidal/checkpoints/portable';
import type { Backbone } from '@pyramidal/nn';

/** Weights in memory and what their names tell of the model. */
export interface Weights {
  readonly name: string;
  readonly tensors: ReadonlyMap<string, StoredTensor>;
  /** Undefined where the names and shapes fit no backbone here. */
  readonly identified: Identified | undefined;
}

/**
 * Reads a safetensors file: of a checkpoint of training here the averages.
 * @throws Error in one line: what is wrong with the file.
 */
export async function readWeights(file: Blob, name: string): Promise<Weights> {
  const bytes = new Uint8Array(await file.arrayBuffer());
  if (isTorch(bytes)) {
    throw new Error(`${name}: a PyTorch file; make it a safetensors file with \`npm run weights -- convert\``);
  }
  const tensors = finalWeights(parseSafetensors(bytes, name).tensors);
  return { name, tensors, identified: identifyBackbone(tensors) };
}

/** A zip archive or a pickle. */
const isTorch = ([first, second]: Uint8Array): boolean => (first === 0x50 && second === 0x4b) || first === 0x80;

/**
 * A backbone with the weights, on the engine that is open.
 * @param choice `auto` takes what the weights tell.
 * @throws Error in one line if the weights are not those of the variant.
 */
export function loadBackbone({ name, tensors, identified }: Weights, choice: VariantName | 'auto'): Backbone {
  const variant = choice === 'auto' ? identified?.variant : choice;
  if (!variant) throw new Error(`${name}: its ${tensors.size} tensors belong to no backbone known here`);
  const backbone = createBackbone(variant, variant === identified?.variant ? identified.sizes : undefined);
  try {
    loadWeights(backbone, tensors);
  } catch (error) {
    throw new Error(`${name} as ${variant}: ${(error as Error).message}`, { cause: error });
  }
  return backbone;
}
