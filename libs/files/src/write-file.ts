/** Files that are there whole or not at all: a temporary file in the same folder, flushed, renamed over the target. */
import { randomBytes } from 'node:crypto';
import {
  closeSync,
  copyFileSync,
  existsSync,
  fchmodSync,
  fsyncSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  unlinkSync,
  writeSync,
  type Stats,
} from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { FileError, fileError, isSystemError } from './file-error';

/** Bytes that take the place of some written before: a checksum in a header. */
export interface Patch {
  /** In bytes from the start of the file. */
  readonly position: number;
  readonly bytes: Uint8Array;
}

export type Content = string | Uint8Array | Iterable<Uint8Array | Patch>;

/**
 * Writes a whole file or nothing; whatever fails, a file that was there before stays as it was. Its permissions stay
 * too. A symbolic link, a folder, a device or a pipe in its place is refused, not followed and not replaced.
 * @param content text becomes UTF-8; of several pieces each is written before the next is asked for.
 * @throws FileError that names the file and the reason; what `content` itself throws is passed on.
 */
export function writeFileAtomically(path: string, content: Content): void {
  replaceFile(path, (temporary, old) => writeAndFlush(temporary, piecesOf(content), old));
}

/** Writes a value as indented JSON, whole or not at all. @throws FileError */
export function writeJson(path: string, value: unknown): void {
  writeFileAtomically(path, `${JSON.stringify(value, null, 2)}\n`);
}

/** Gives a finished file a second name, or copies it where the file system has no links. @throws FileError */
export function duplicateFile(source: string, path: string): void {
  replaceFile(path, (temporary) => {
    try {
      linkSync(source, temporary);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') throw error;
      copyFileSync(source, temporary);
      flush(temporary);
    }
  });
}

/**
 * Makes a folder and those above it, where they are missing. Node's own way goes on for ever where a file system takes no folders but
 * says that the one above is missing, as below /proc.
 * @throws FileError
 */
export function makeFolder(path: string): void {
  try {
    const missing = [resolve(path)];
    for (let above = dirname(missing[0]!); !existsSync(above); above = dirname(above)) missing.push(above);
    for (const folder of missing.reverse()) makeOne(folder);
  } catch (error) {
    throw fileError(path, 'written', error);
  }
}

/** Another process may have made it just now. */
function makeOne(folder: string): void {
  try {
    mkdirSync(folder);
  } catch (error) {
    const isThere = (error as NodeJS.ErrnoException).code === 'EEXIST' && statSync(folder).isDirectory();
    if (!isThere) throw error;
  }
}

/** The name of a file that is being written; what a killed process left of one means nothing. */
export const temporaryName = (): string => `.pyramidal-${randomBytes(8).toString('hex')}.tmp`;

const TEMPORARY = /^\.pyramidal-[0-9a-f]{16}\.tmp$/;

/** Removes the half-written files that killed processes left in a folder that nobody writes to now. @throws FileError */
export function removeLeftovers(folder: string): void {
  try {
    for (const name of readdirSync(folder)) if (TEMPORARY.test(name)) rmSync(join(folder, name), { force: true });
  } catch (error) {
    throw fileError(folder, 'written', error);
  }
}

/** Removes a file, if it is there. @throws FileError, also for a folder. */
export function removeFile(path: string): void {
  try {
    unlinkSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw fileError(path, 'removed', error);
  }
}

/**
 * Checks that a file could be written at a path: that nothing is there, or a regular file.
 * @returns what is there. @throws FileError
 */
export function checkTarget(path: string): Stats | undefined {
  const found = statOf(path);
  if (found === undefined || found.isFile()) return found;
  throw new FileError(path, `cannot be written: it is ${kindOf(found)}, expected a file or nothing`);
}

/** What an entry of a folder is, for messages. */
export function kindOf(stats: Stats): string {
  if (stats.isFile()) return 'a file';
  if (stats.isDirectory()) return 'a folder';
  if (stats.isSymbolicLink()) return 'a symbolic link';
  if (stats.isFIFO()) return 'a pipe';
  if (stats.isSocket()) return 'a socket';
  return 'a device';
}

function statOf(path: string): Stats | undefined {
  try {
    return lstatSync(path, { throwIfNoEntry: false });
  } catch (error) {
    throw fileError(path, 'written', error);
  }
}

function replaceFile(path: string, make: (temporary: string, old: Stats | undefined) => void): void {
  const old = checkTarget(path);
  const folder = dirname(path);
  const temporary = join(folder, temporaryName());
  try {
    make(temporary, old);
    renameSync(temporary, path);
    flushFolder(folder);
  } catch (error) {
    discard(temporary);
    if (!isSystemError(error)) throw error;
    const kept = old === undefined ? '' : '; the file that is there was not touched';
    throw fileError(path, 'written', error, kept);
  }
}

/** The error that made the file useless is the one to report, not a second one about clearing it away. */
export function discard(temporary: string): void {
  try {
    rmSync(temporary, { force: true });
  } catch {
    return;
  }
}

function* piecesOf(content: Content): Generator<Uint8Array | Patch> {
  if (typeof content === 'string') yield Buffer.from(content);
  else if (content instanceof Uint8Array) yield content;
  else yield* content;
}

function writeAndFlush(path: string, pieces: Iterable<Uint8Array | Patch>, old: Stats | undefined): void {
  const descriptor = openSync(path, 'wx');
  try {
    if (old !== undefined) fchmodSync(descriptor, old.mode & 0o777);
    for (const piece of pieces) {
      if (piece instanceof Uint8Array) writeFully(descriptor, piece);
      else writeFully(descriptor, piece.bytes, piece.position);
    }
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

/** System calls take less than 2 GiB at once. */
const CHUNK = 1 << 28;

/** Writes all bytes where an open file stands, or at a position. */
export function writeFully(descriptor: number, bytes: Uint8Array, position?: number): void {
  for (let done = 0; done < bytes.byteLength;) {
    const length = Math.min(CHUNK, bytes.byteLength - done);
    done += writeSync(descriptor, bytes, done, length, position === undefined ? null : position + done);
  }
}

function flush(path: string): void {
  const descriptor = openSync(path, 'r+');
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

/** Makes the rename itself survive a power cut; Windows has no such call for folders. */
export function flushFolder(path: string): void {
  if (process.platform === 'win32') return;
  const descriptor = openSync(path, 'r');
  try {
    fsyncSync(descriptor);
  } catch (error) {
    // Some network file systems cannot flush folders; the file itself is safe.
    if (!['EINVAL', 'ENOTSUP', 'ENOSYS'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
  } finally {
    closeSync(descriptor);
  }
}
