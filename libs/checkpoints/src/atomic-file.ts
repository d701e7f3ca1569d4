import { randomBytes } from 'node:crypto';
import { closeSync, existsSync, fsyncSync, openSync, realpathSync, renameSync, rmSync, writeSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { checkpointError, reasonOf } from './errors';

/**
 * Writes a whole file or nothing: a temporary file in the same folder, flushed to the device, then renamed over the
 * target. Whatever fails, a file that was there before stays as it was.
 * @param chunks written one after the other; each is done with before the next is asked for.
 */
export function writeFileAtomically(path: string, chunks: Iterable<Uint8Array>): void {
  const target = existsSync(path) ? realpathSync(path) : path;
  const temporary = join(dirname(target), `.${basename(target)}.${randomBytes(6).toString('hex')}.tmp`);
  try {
    writeAndFlush(temporary, chunks);
    renameSync(temporary, target);
    flushFolder(dirname(target));
  } catch (error) {
    rmSync(temporary, { force: true });
    if (!isSystemError(error)) throw error;
    const kept = existsSync(target) ? '; the file that is there was not touched' : '';
    throw checkpointError(path, `cannot be written: ${reasonOf(error)}${kept}`);
  }
}

function writeAndFlush(path: string, chunks: Iterable<Uint8Array>): void {
  const descriptor = openSync(path, 'wx');
  try {
    for (const chunk of chunks) writeFully(descriptor, chunk);
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

const CHUNK = 1 << 28;

function writeFully(descriptor: number, bytes: Uint8Array): void {
  for (let done = 0; done < bytes.byteLength;) {
    done += writeSync(descriptor, bytes, done, Math.min(CHUNK, bytes.byteLength - done));
  }
}

/** Makes the rename itself survive a power cut; Windows has no such call for folders. */
function flushFolder(path: string): void {
  if (process.platform === 'win32') return;
  const descriptor = openSync(path, 'r');
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

const isSystemError = (error: unknown): boolean => typeof (error as NodeJS.ErrnoException).syscall === 'string';
