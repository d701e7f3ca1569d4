/**
 * Checksums of the tensors in a safetensors file: the CRC-32 of each, as eight hexadecimal digits, in the order of the
 * header, in one text of its metadata. Other programs read such files as any other; files without it are not checked.
 */
import { crc32 } from 'node:zlib';
import { littleEndianBytes, type StoredTensor, type TensorData, type TensorFile } from './dtype';
import { checkpointError } from './errors';

/** Its key among the metadata. */
export const CHECKSUMS = 'crc32';
const DIGITS = 8;

/** What stands in the header until the tensors have been written. */
export const unknownChecksums = (count: number): string => '0'.repeat(DIGITS * count);

export const joinChecksums = (sums: readonly number[]): string =>
  sums.map((sum) => sum.toString(16).padStart(DIGITS, '0')).join('');

/** Checks every tensor of a file as its `data` is read. @throws CheckpointError when `data` is read that is damaged. */
export function withChecksums(path: string, file: TensorFile): TensorFile {
  const { [CHECKSUMS]: sums, ...metadata } = file.metadata;
  if (sums === undefined) return file;
  if (sums.length !== DIGITS * file.tensors.size || !/^[0-9a-f]*$/.test(sums)) {
    file.close();
    throw checkpointError(path, `is damaged: its ${CHECKSUMS} does not have ${DIGITS} digits for each tensor`);
  }
  const tensors = [...file.tensors].map(([name, tensor], i) => {
    const expected = parseInt(sums.slice(DIGITS * i, DIGITS * (i + 1)), 16);
    return [name, checked(path, name, tensor, expected)] as const;
  });
  return { ...file, metadata, tensors: new Map(tensors) };
}

const checked = (path: string, name: string, tensor: StoredTensor, expected: number): StoredTensor => ({
  dtype: tensor.dtype,
  shape: tensor.shape,
  get data() {
    const { data } = tensor;
    if (checksumOf(data) === expected) return data;
    throw checkpointError(path, `is damaged: ${name} does not have the checksum that it was written with`);
  },
});

export const checksumOf = (data: TensorData): number => crc32(littleEndianBytes(data));
