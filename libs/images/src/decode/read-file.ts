/** Reads a picture's file, or its beginning. */
import { closeSync, read } from 'node:fs';
import { promisify } from 'node:util';
import { FileError, openRegularFile } from '@pyramidal/files';

const readPart = promisify(read);

/**
 * The bytes of a file.
 * @param options `maxBytes` it may have; the `first` that are wanted, default all.
 * @throws FileError if it cannot be read, is a folder, a pipe or a device, or is larger.
 */
export async function readImageFile(file: string, { maxBytes = Infinity, first = Infinity } = {}): Promise<Uint8Array> {
  const { descriptor, size } = openRegularFile(file);
  try {
    if (size > maxBytes) throw new FileError(file, `has ${size} bytes, expected at most ${maxBytes}`);
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
