/** Reads a picture's file, or its beginning. */
import { closeSync, read } from 'node:fs';
import { promisify } from 'node:util';
import { FileError, openRegularFile } from '@pyramidal/files';

const readPart = promisify(read);

/** The bytes that a file has. @throws FileError as `readImageFile` does, and if there are more than `maxBytes`. */
export function imageFileSize(file: string, maxBytes: number): number {
  const { descriptor, size } = openRegularFile(file);
  closeSync(descriptor);
  if (size > maxBytes) throw new FileError(file, `has ${size} bytes, expected at most ${maxBytes}`);
  return size;
}

/**
 * The bytes of a file.
 * @param options the `first` that are wanted, default all.
 * @throws FileError if it cannot be read, or is a folder, a pipe or a device.
 */
export async function readImageFile(file: string, { first = Infinity } = {}): Promise<Uint8Array> {
  const { descriptor, size } = openRegularFile(file);
  try {
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
