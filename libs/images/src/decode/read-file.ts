/** Reads a picture's file, or its beginning. */
import { closeSync, read as readAt } from 'node:fs';
import { promisify } from 'node:util';
import { FileError, openRegularFile } from '@pyramidal/files';
import { naming } from './broken-image';

const readPart = promisify(readAt);

/** Bytes that the file of a picture may have, however large the picture is. */
const MAX_BYTES = 250_000_000;

/** How many bytes a file has. @throws FileError if it cannot be opened, is a folder, a pipe or a device, or has more than `maxBytes`. */
export function imageFileSize(file: string, maxBytes: number): number {
  const { descriptor, size } = openRegularFile(file);
  closeSync(descriptor);
  requireBytes(file, size, maxBytes);
  return size;
}

/**
 * The bytes of a file.
 * @param options `maxBytes` it may have; the `first` that are wanted, default all.
 * @throws BrokenImageError if it cannot be read, is a folder, a pipe or a device, or is larger.
 */
export function readImageFile(file: string, options: { maxBytes?: number; first?: number } = {}): Promise<Uint8Array> {
  return naming(file, () => read(file, options));
}

async function read(file: string, { maxBytes = MAX_BYTES, first = Infinity }): Promise<Uint8Array> {
  const { descriptor, size } = openRegularFile(file);
  try {
    requireBytes(file, Math.min(size, first), maxBytes);
    const bytes = Buffer.allocUnsafeSlow(Math.min(size, first));
    for (let done = 0; done < bytes.length;) {
      const { bytesRead } = await readPart(descriptor, bytes, done, bytes.length - done, done);
      if (bytesRead === 0) return bytes.subarray(0, done);
      done += bytesRead;
    }
    return bytes;
  } finally {
    closeSync(descriptor);
  }
}

function requireBytes(file: string, size: number, most: number): void {
  if (size > most) throw new FileError(file, `has ${size} bytes, expected at most ${most}`);
}
