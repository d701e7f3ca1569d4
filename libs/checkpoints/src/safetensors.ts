/** Safetensors files in and out; `parse-safetensors` reads the format itself. */
import { writeFileAtomically, type Patch } from '@pyramidal/files';
import { CHECKSUMS, checksumOf, joinChecksums, unknownChecksums, withChecksums } from './checksums';
import {
  byteLength,
  describe,
  elementBytes,
  littleEndianBytes,
  dtypes,
  type StoredTensor,
  type TensorFile,
} from './dtype';
import { checkpointError } from './errors';
import { openFile } from './open-file';
import { tensorsIn } from './parse-safetensors';

/**
 * Opens a safetensors file; the tensors are read from it one by one as their `data` is asked for.
 * @throws CheckpointError if header, shapes and positions do not account for every byte of the file; later, when `data`
 * is read that differs from what its checksum was made of.
 */
export function readSafetensors(path: string): TensorFile {
  const file = openFile(path);
  try {
    return withChecksums(path, { ...tensorsIn(file), close: () => file.close() });
  } catch (error) {
    file.close();
    throw error;
  }
}

/**
 * Writes tensors and metadata as one safetensors file, whole or not at all.
 *
 * `data` of each tensor is read once, when its turn comes, and not kept: with lazily read tensors the largest one
 * decides how much memory this takes. Wider elements come first in the file, as the format's other readers need
 * every tensor at a multiple of its element size; the header keeps the given order.
 * @throws CheckpointError if a name appears twice or a length does not fit the shape; FileError if it cannot be written.
 */
export function writeSafetensors(
  path: string,
  tensors: Iterable<readonly [name: string, tensor: StoredTensor]>,
  metadata: Readonly<Record<string, string>> = {},
  { checksums = false }: WriteOptions = {},
): void {
  const entries = [...tensors];
  const inFileOrder = [...entries].sort((a, b) => elementBytes(b[1].dtype) - elementBytes(a[1].dtype));
  const texts = checksums ? { [CHECKSUMS]: unknownChecksums(entries.length), ...metadata } : metadata;
  const header = headerBytes(path, entries, inFileOrder, texts);
  writeFileAtomically(path, fileChunks(path, header, { entries, inFileOrder, checksums }));
}

interface WriteOptions {
  /** Note a checksum of every tensor in the header, which `readSafetensors` compares; not by default. */
  readonly checksums?: boolean;
}

type Entries = readonly (readonly [name: string, tensor: StoredTensor])[];

const METADATA = '"__metadata__":';

function headerBytes(path: string, entries: Entries, inFileOrder: Entries, metadata: object): Buffer {
  const offsets = new Map<string, readonly [number, number]>();
  let position = 0;
  for (const [name, tensor] of inFileOrder) {
    if (offsets.has(name)) throw checkpointError(path, `two tensors are named ${name}`);
    const length = byteLength(tensor);
    if (Number.isNaN(length)) throw checkpointError(path, `${name} has the impossible shape ${describe(tensor)}`);
    offsets.set(name, [position, (position += length)]);
  }
  const members = entries.map(([name, { dtype, shape }]) => {
    const entry = { dtype: dtypes[dtype].tag, shape, data_offsets: offsets.get(name) };
    return `${JSON.stringify(name)}:${JSON.stringify(entry)}`;
  });
  if (offsets.has('__metadata__')) throw checkpointError(path, 'a tensor cannot be named __metadata__');
  if (Object.keys(metadata).length > 0) members.unshift(`${METADATA}${JSON.stringify(metadata)}`);
  const json = Buffer.from(`{${members.join(',')}}`);
  const padding = (8 - (json.length % 8)) % 8;
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(json.length + padding));
  return Buffer.concat([length, json, Buffer.alloc(padding, ' ')]);
}

interface Layout {
  readonly entries: Entries;
  readonly inFileOrder: Entries;
  readonly checksums: boolean;
}

function* fileChunks(
  path: string,
  header: Buffer,
  { entries, inFileOrder, checksums }: Layout,
): Iterable<Uint8Array | Patch> {
  const sums = new Map<string, number>();
  yield header;
  for (const [name, tensor] of inFileOrder) {
    const { data } = tensor;
    if (!(data instanceof dtypes[tensor.dtype].array) || data.byteLength !== byteLength(tensor)) {
      throw checkpointError(
        path,
        `${name} is ${describe(tensor)}, received a ${data.constructor.name} of ${data.length}`,
      );
    }
    if (checksums) sums.set(name, checksumOf(data));
    yield littleEndianBytes(data);
  }
  if (!checksums) return;
  // The checksums are the first text of the header, whose length comes before it.
  const position = 8 + `{${METADATA}{"${CHECKSUMS}":"`.length;
  yield { position, bytes: Buffer.from(joinChecksums(entries.map(([name]) => sums.get(name)!))) };
}
