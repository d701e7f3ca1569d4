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

/** The same in the middle of a line, not quoted. */
export function oneLine(text: string, length = MAX_MESSAGE): string {
  // eslint-disable-next-line no-control-regex
  const line = text.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]+/g, ' ');
  return line.length > length ? `${line.slice(0, length)}...` : line;
}

export const checkpointError = (path: string, problem: string): CheckpointError =>
  new CheckpointError(oneLine(`${path}: ${problem}`));
