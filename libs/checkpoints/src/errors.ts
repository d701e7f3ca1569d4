/** The errors of this package: one line each, which begins with the file. */

const MAX_MESSAGE = 600;

/** A weights file that cannot be read, written or loaded; the message is one line that starts with the file. */
export class CheckpointError extends Error {
  override readonly name = 'CheckpointError';
}

/** A fault in the content of a file, in plain words; whoever knows the file turns it into a CheckpointError. */
export class FormatError extends Error {}

/** Runs a reader of `path` and puts the path before what it finds wrong. */
export function namingFile<T>(path: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw error instanceof FormatError ? checkpointError(path, error.message) : error;
  }
}

/** Text out of a file may hold line breaks, control characters or megabytes: it is quoted and cut. */
export const quote = (text: string): string => JSON.stringify(text.length > 100 ? `${text.slice(0, 100)}...` : text);

export function checkpointError(path: string, problem: string): CheckpointError {
  // eslint-disable-next-line no-control-regex
  const line = `${path}: ${problem}`.replace(/[\u0000-\u001f\u007f\u2028\u2029]+/g, ' ');
  return new CheckpointError(line.length > MAX_MESSAGE ? `${line.slice(0, MAX_MESSAGE)}...` : line);
}
