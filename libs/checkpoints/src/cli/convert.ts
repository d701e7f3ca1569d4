/** `pyramidal-weights convert`: any weights file as safetensors. */
import { basename } from 'node:path';
import { openCheckpoint, type Checkpoint } from '../checkpoint';
import { byteLength, type StoredTensor } from '../dtype';
import { checkpointError, quote } from '../errors';
import { officialNames, splitModel } from '../names';
import { writeSafetensors } from '../safetensors';

interface ConvertOptions {
  readonly entry?: string;
  readonly part?: string;
}

/** Writes the tensors of any weights file as safetensors, bit for bit, one tensor in memory at a time. */
export function convert(input: string, output: string, options: ConvertOptions, print: (line: string) => void): void {
  const file = openCheckpoint(input, options);
  try {
    const tensors = takePart(input, file, options.part);
    writeSafetensors(output, tensors, { ...file.metadata, format: 'pt', source: sourceOf(input, file, options) });
    const bytes = [...tensors.values()].reduce((sum, tensor) => sum + byteLength(tensor), 0);
    print(`${output}: ${tensors.size} tensors, ${bytes} bytes`);
  } finally {
    file.close();
  }
}

function takePart(path: string, { tensors }: Checkpoint, part: string | undefined): ReadonlyMap<string, StoredTensor> {
  if (part === undefined) return officialNames(tensors);
  const { parts } = splitModel(tensors);
  const chosen = parts.get(part);
  if (!chosen) {
    throw checkpointError(path, `has no part ${quote(part)}, expected one of ${[...parts.keys()].join(', ')}`);
  }
  return chosen;
}

const sourceOf = (input: string, { entry }: Checkpoint, { part }: ConvertOptions): string =>
  [basename(input), entry, part].filter(Boolean).join(' / ');
