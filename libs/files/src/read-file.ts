/** Files opened for reading: regular files only, never a device or a pipe that would make the reader wait for ever. */
import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { FileError, fileError } from './file-error';
import { kindOf } from './write-file';

/** Opening a pipe must not wait for its writer. Windows has neither the flag nor such pipes. */
const FLAGS = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0);

/**
 * Opens a regular file, or a symbolic link to one.
 * @returns its descriptor, the caller's to close, and its size in bytes.
 * @throws FileError if it cannot be opened, or is a folder, a pipe or a device.
 */
export function openRegularFile(path: string): { readonly descriptor: number; readonly size: number } {
  const descriptor = openDescriptor(path);
  try {
    const found = fstatSync(descriptor);
    if (found.isFile()) return { descriptor, size: found.size };
    throw new FileError(path, `is ${kindOf(found)}, expected a file`);
  } catch (error) {
    closeSync(descriptor);
    throw error;
  }
}

function openDescriptor(path: string): number {
  try {
    return openSync(path, FLAGS);
  } catch (error) {
    // A socket cannot even be opened.
    throw fileError(path, 'opened', error);
  }
}

/** Records are small; larger files want a reader that keeps little of them. */
const MAX_BYTES = 64 << 20;

/**
 * Reads a text file whole.
 * @param maxBytes what it may have at most; 64 MiB by default.
 * @throws FileError if it cannot be read, is no regular file, is larger, or is not UTF-8.
 */
export function readText(path: string, { maxBytes = MAX_BYTES }: { readonly maxBytes?: number } = {}): string {
  const bytes = readBytes(path, maxBytes);
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (error) {
    throw new FileError(path, 'is not UTF-8 text', error);
  }
}

function readBytes(path: string, maxBytes: number): Buffer {
  const { descriptor, size } = openRegularFile(path);
  try {
    if (size > maxBytes) throw new FileError(path, `has ${size} bytes, expected at most ${maxBytes}`);
    const bytes = Buffer.allocUnsafe(size);
    let done = 0;
    for (let count = -1; done < size && count !== 0; done += count) {
      count = readSync(descriptor, bytes, done, size - done, done);
    }
    return bytes.subarray(0, done);
  } catch (error) {
    throw error instanceof FileError ? error : fileError(path, 'read', error);
  } finally {
    closeSync(descriptor);
  }
}
