/** What the file system's error codes mean, in plain words, and the one error that says so. */

const REASONS: Readonly<Record<string, string>> = {
  EACCES: 'permission denied',
  EPERM: 'not permitted',
  EROFS: 'the file system is read-only',
  ENOSPC: 'no space left on the device',
  EDQUOT: 'the disk quota is used up',
  EFBIG: 'the file would be too large for the file system',
  ENOENT: 'no such file or folder',
  ENOTDIR: 'a part of the path is not a folder',
  EISDIR: 'it is a folder',
  EEXIST: 'a file of that name is in the way',
  ENOTEMPTY: 'the folder is not empty',
  ELOOP: 'symbolic links lead in a circle',
  ENAMETOOLONG: 'the name is too long for the file system',
  EMFILE: 'too many files are open in this process (ulimit -n says and sets how many may be)',
  ENFILE: 'too many files are open on this machine',
  EBUSY: 'it is in use',
  EAGAIN: 'the system has no room for it now',
  ENOMEM: 'not enough memory',
  EXDEV: 'it lies on another file system',
  EIO: 'the device reports an input/output error',
  ENXIO: 'there is no such device',
  ENODEV: 'there is no such device',
  ESTALE: 'the network file system no longer knows it',
  ETIMEDOUT: 'the network file system does not answer',
};

/** Plain words for an error of the file system; any other error gives the first line of its own message. */
export function explainFileError(error: unknown): string {
  const { code, message } = (error ?? {}) as Partial<NodeJS.ErrnoException>;
  const refused = code === 'ERR_WORKER_INIT_FAILED' ? ownCode(message) : code;
  return REASONS[refused ?? ''] ?? (message ?? String(error)).split('\n', 1)[0]!;
}

/** What the system answered where a thread cannot start: Node says so at the end of the message alone. */
const ownCode = (message = ''): string | undefined => /: (E[A-Z]+)$/.exec(message)?.[1];

/** Whether the operating system refused something, as opposed to a fault in a program. */
export const isSystemError = (error: unknown): error is NodeJS.ErrnoException =>
  typeof (error as Partial<NodeJS.ErrnoException> | null | undefined)?.syscall === 'string';

const MAX_MESSAGE = 600;

/** A file that cannot be read, written or understood: one line that begins with its path. */
export class FileError extends Error {
  override readonly name: string = 'FileError';
  /** What a program ends with. */
  readonly exitCode: 1 | 2 = 1;
  /** The operating system's code, for instance `ENOSPC`, where it was the operating system that refused. */
  readonly code: string | undefined;

  constructor(
    readonly path: string,
    problem: string,
    cause?: unknown,
  ) {
    super(oneLine(`${path}: ${problem}`), { cause });
    this.code = isSystemError(cause) ? cause.code : undefined;
  }
}

/** `path: cannot be written: no space left on the device` */
export const fileError = (
  path: string,
  failed: 'opened' | 'read' | 'written' | 'removed',
  cause: unknown,
  consequence = '',
): FileError => new FileError(path, `cannot be ${failed}: ${explainFileError(cause)}${consequence}`, cause);

/** Text out of a file, which may hold line breaks, control characters or megabytes, as a part of a message. */
export function oneLine(text: string, length = MAX_MESSAGE): string {
  // eslint-disable-next-line no-control-regex
  const line = text.slice(0, 2 * length).replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]+/g, ' ');
  return line.length > length ? `${line.slice(0, length)}...` : line;
}
