/** A folder that is made beside its place and moved there when it is complete, so that a conversion that fails leaves nothing. */
import { randomBytes } from 'node:crypto';
import { closeSync, existsSync, lstatSync, openSync, readSync, renameSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { explainFileError, FileError, makeFolder } from '@pyramidal/files';
import { filesBelow } from './image-finder';

/** A new folder on the file system of another. @throws FileError */
export function stageBeside(folder: string): string {
  const stage = join(dirname(resolve(folder)), `.pyramidal-${randomBytes(8).toString('hex')}.unfinished`);
  makeFolder(stage);
  return stage;
}

/**
 * Moves the files of a folder into another, which may hold others.
 * @throws FileError before anything is moved if a file would be written over that is not the same.
 */
export function putInPlace(stage: string, folder: string, { overwrite }: { readonly overwrite: boolean }): void {
  try {
    if (!existsSync(folder)) {
      renameSync(stage, folder);
      return;
    }
    const names = filesBelow(stage);
    const different = overwrite ? undefined : names.find((name) => !isFree(join(folder, name), join(stage, name)));
    if (different !== undefined)
      throw new FileError(join(folder, different), 'is there already; --overwrite writes over it');
    for (const name of names) {
      makeFolder(dirname(join(folder, name)));
      renameSync(join(stage, name), join(folder, name));
    }
  } catch (error) {
    throw error instanceof FileError
      ? error
      : new FileError(folder, `cannot be written: ${explainFileError(error)}`, error);
  }
}

/** Whether nothing is at a path, or a file of the same bytes. */
function isFree(path: string, replacement: string): boolean {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found === undefined) return true;
  const other = lstatSync(replacement);
  if (found.ino === other.ino && found.dev === other.dev) return true;
  return found.isFile() && found.size === other.size && haveSameBytes(path, replacement);
}

const CHUNK_BYTES = 1 << 16;

function haveSameBytes(a: string, b: string): boolean {
  const [left, right] = [openSync(a, 'r'), openSync(b, 'r')];
  try {
    const [own, other] = [Buffer.alloc(CHUNK_BYTES), Buffer.alloc(CHUNK_BYTES)];
    for (;;) {
      const [size, otherSize] = [readSync(left, own), readSync(right, other)];
      if (size !== otherSize || !own.subarray(0, size).equals(other.subarray(0, size))) return false;
      if (size === 0) return true;
    }
  } finally {
    closeSync(left);
    closeSync(right);
  }
}
