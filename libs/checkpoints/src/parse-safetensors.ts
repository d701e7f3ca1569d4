/**
 * The safetensors format (huggingface/safetensors, "Format"): eight bytes with the length of the header, a JSON header
 * that names dtype, shape and position of every tensor, then the tensors without a gap.
 */
import { viewElements, type StoredTensor, type TensorFile } from './dtype';
import { parseHeader, type ByteRange, type HeaderEntry } from './safetensors-header';

/**
 * Reads the bytes of a safetensors file, however they were fetched; the tensors look into them.
 * @param name stands before what errors say.
 * @throws CheckpointError if header, shapes and positions do not account for every byte.
 */
export function parseSafetensors(
  bytes: Uint8Array | ArrayBuffer,
  name = 'safetensors',
): Pick<TensorFile, 'tensors' | 'metadata'> {
  const memory = bytes instanceof Uint8Array ? bytes : new Uint8Array(bytes);
  return tensorsIn({
    path: name,
    size: memory.length,
    read: (position, length) => memory.subarray(position, position + length),
  });
}

export function tensorsIn(file: ByteRange): Pick<TensorFile, 'tensors' | 'metadata'> {
  const { entries, metadata } = parseHeader(file);
  return { tensors: new Map(entries.map((entry) => [entry.name, storedTensor(file, entry)])), metadata };
}

const storedTensor = (file: ByteRange, { name, dtype, shape, begin, end }: HeaderEntry): StoredTensor => ({
  dtype,
  shape,
  get data() {
    return viewElements(file.read(begin, end - begin, name), dtype);
  },
});
