/** A weights file that is read piece by piece. */
import { closeSync, readSync } from 'node:fs';
import { openRegularFile } from '@pyramidal/files';
import { checkpointError } from './errors';

/** Largest single read; the system calls take less than 2 GiB at once. */
const CHUNK = 1 << 28;

/** A file open for reading at any position, with every read checked against its size. */
export interface OpenFile {
  readonly path: string;
  readonly size: number;
  /** @throws if the range is not inside the file. `what` names the thing read in the message. */
  read(position: number, length: number, what: string): Buffer;
  close(): void;
}

/** @throws FileError if it cannot be opened or is no regular file. */
export function openFile(path: string): OpenFile {
  const { descriptor, size } = openRegularFile(path);
  let open = true;
  return {
    path,
    size,
    read(position, length, what) {
      if (!open) throw checkpointError(path, `${what} was asked for after the file was closed`);
      if (!(position >= 0 && length >= 0 && position + length <= size)) {
        throw checkpointError(path, `${what} needs bytes ${position} to ${position + length}, the file has ${size}`);
      }
      return readFully(descriptor, position, length, path, what);
    },
    close() {
      if (open) closeSync(descriptor);
      open = false;
    },
  };
}

function readFully(descriptor: number, position: number, length: number, path: string, what: string): Buffer {
  const bytes = Buffer.allocUnsafeSlow(length);
  for (let done = 0; done < length;) {
    const count = readSync(descriptor, bytes, done, Math.min(CHUNK, length - done), position + done);
    if (count === 0)
      throw checkpointError(path, `${what} ends after ${done} of ${length} bytes: the file was cut short`);
    done += count;
  }
  return bytes;
}
