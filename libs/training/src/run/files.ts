import { closeSync, copyFileSync, fsyncSync, linkSync, openSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { WriteError } from '../training-error';

/**
 * Writes a small text file whole or not at all.
 * @throws WriteError that names the file; what was there before stays.
 */
export function writeText(path: string, text: string): void {
  replace(path, (temporary) => {
    const descriptor = openSync(temporary, 'w');
    try {
      writeFileSync(descriptor, text);
      fsyncSync(descriptor);
    } finally {
      closeSync(descriptor);
    }
  });
}

/** A second name for a finished file, or a copy where the file system knows no links. */
export function duplicate(source: string, path: string): void {
  replace(path, (temporary) => {
    rmSync(temporary, { force: true });
    try {
      linkSync(source, temporary);
    } catch {
      copyFileSync(source, temporary);
    }
  });
}

function replace(path: string, make: (temporary: string) => void): void {
  const temporary = `${path}.${process.pid}.tmp`;
  try {
    make(temporary);
    renameSync(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw new WriteError(path, error);
  }
}
