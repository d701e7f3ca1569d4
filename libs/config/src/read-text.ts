/** The text of a configuration file: a real file, of bounded size, in UTF-8. */
import { closeSync, openSync, readSync, statSync } from 'node:fs';
import { clip } from './clip';
import { UsageError } from './usage-error';

/** A hundred times the longest recipe. */
const MAX_BYTES = 256 * 1024;

/** What no text holds; tab, line feed and carriage return are none of them. */
// eslint-disable-next-line no-control-regex
const CONTROL = /[\0-\x08\x0b\x0c\x0e-\x1f\x7f]/;

/**
 * Reads a file of at most 256 KiB; a byte order mark is left out.
 * @throws UsageError if there is none, if it is a folder or a device, too large, or no UTF-8 text.
 */
export function readText(file: string): string {
  const name = clip(file, 300);
  const bytes = readBytes(file, name);
  requireSize(bytes.length, name);
  const text = decode(bytes);
  if (text === undefined) throw new UsageError(`${name}: expected a YAML file in UTF-8`);
  return requireText(text, name);
}

/** Text that is no file of its own, by the same rules. @param name stands before what errors say. */
export function checkText(text: string, name: string): string {
  requireSize(text.length, name);
  return requireText(text, name);
}

function requireSize(bytes: number, name: string): void {
  if (bytes <= MAX_BYTES) return;
  throw new UsageError(`${name}: expected a configuration of at most ${MAX_BYTES / 1024} KiB, it is larger`);
}

function requireText(text: string, name: string): string {
  const control = text.search(CONTROL);
  if (control < 0) return text;
  const found = `found the character ${text.charCodeAt(control)} at offset ${control}`;
  throw new UsageError(`${name}: expected a YAML file in UTF-8, ${found}`);
}

/** At most one byte more than is allowed, so that endless files end. */
function readBytes(file: string, name: string): Buffer {
  try {
    const stats = statSync(file);
    if (stats.isDirectory()) throw new UsageError(`${name}: expected a file, found a folder`);
    // Opening a pipe would wait for its other end, and a device may never end.
    if (!stats.isFile()) throw new UsageError(`${name}: expected a file, found a pipe or a device`);
    return readStart(file, MAX_BYTES + 1);
  } catch (error) {
    if (error instanceof UsageError) throw error;
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') throw new UsageError(`${name}: no such file`);
    if (code === 'EACCES' || code === 'EPERM') throw new UsageError(`${name}: may not be read`);
    throw new UsageError(`${name}: cannot be read (${code ?? String(error)})`);
  }
}

function readStart(file: string, most: number): Buffer {
  const buffer = Buffer.alloc(most);
  const descriptor = openSync(file, 'r');
  try {
    let length = 0;
    for (let read = -1; read !== 0 && length < most; length += read) {
      read = readSync(descriptor, buffer, length, most - length, null);
    }
    return buffer.subarray(0, length);
  } finally {
    closeSync(descriptor);
  }
}

/** @returns undefined if the bytes are not UTF-8. */
function decode(bytes: Buffer): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return undefined;
  }
}
