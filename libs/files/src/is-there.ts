/** Whether a file is there, known for certain. */
import { lstatSync } from 'node:fs';
import { explainFileError, FileError, isSystemError } from './file-error';

/**
 * Whether there is anything of that name, be it a link that leads nowhere. `existsSync` also says no where it cannot know: what
 * is there would be left out in silence.
 * @throws FileError if that cannot be known: a folder on the way is locked, links lead in a circle.
 */
export function isThere(path: string): boolean {
  try {
    return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
  } catch (error) {
    if (isSystemError(error) && error.code === 'ENOTDIR') return false;
    throw new FileError(path, `cannot be looked at: ${explainFileError(error)}`, error);
  }
}
