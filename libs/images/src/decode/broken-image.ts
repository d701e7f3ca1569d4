/** A picture that cannot be used, and why. */
import { explainFileError, FileError, oneLine } from '@pyramidal/files';

/** A picture that could not be read or does not fit its labels; `image` says which. */
export class BrokenImageError extends Error {
  constructor(
    readonly image: string,
    readonly reason: string,
  ) {
    super(oneLine(`${image}: ${reason}`));
    this.name = 'BrokenImageError';
  }
}

/** Names the picture in whatever keeps it from being decoded, unless that was done. @throws BrokenImageError */
export async function naming<T>(name: string, decode: () => Promise<T>): Promise<T> {
  try {
    return await decode();
  } catch (error) {
    if (error instanceof BrokenImageError) throw error;
    throw new BrokenImageError(name, `cannot be decoded: ${reasonOf(error)}`);
  }
}

/** In one line, and without the file's name, which stands before it. */
export function reasonOf(error: unknown): string {
  // Some of the decoder's reasons end where it would go on with a second line.
  if (!(error instanceof FileError)) return explainFileError(error).replace(/[:\s]+$/, '');
  const { path, cause, message } = error;
  return cause === undefined ? message.slice(oneLine(path).length + 2) : explainFileError(cause);
}
