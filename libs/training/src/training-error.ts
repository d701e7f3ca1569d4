/** Training cannot start or go on: one line that says why, and the code that the program ends with. */
export class TrainingError extends Error {
  override readonly name: string = 'TrainingError';

  /** @param exitCode 1: it failed while running; 2: it was asked for something that cannot be. */
  constructor(
    message: string,
    readonly exitCode: 1 | 2 = 1,
  ) {
    super(message);
  }
}

/** A file of the run that the file system did not take. */
export class WriteError extends TrainingError {
  override readonly name = 'WriteError';

  constructor(path: string, cause: unknown) {
    super(`${path}: cannot be written: ${reasonOf(cause)}`);
  }
}

const REASONS: Readonly<Record<string, string>> = {
  EACCES: 'permission denied',
  EPERM: 'not permitted',
  EROFS: 'the file system is read-only',
  ENOSPC: 'no space left on the device',
  EDQUOT: 'the disk quota is used up',
  ENOENT: 'no such file or folder',
  ENOTDIR: 'a part of the path is not a folder',
  EEXIST: 'a file of that name is in the way',
};

/** Plain words for an error of the file system. */
export function reasonOf(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  return REASONS[code ?? ''] ?? message ?? String(error);
}
