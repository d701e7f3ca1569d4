/** Files that grow record by record: logs, metrics, results that are kept as they come. */
import { closeSync, constants, fstatSync, ftruncateSync, openSync } from 'node:fs';
import { FileError, fileError, isSystemError } from './file-error';
import { checkTarget, kindOf, writeFully } from './write-file';

/** Refuses symbolic links where the system can (Windows knows no such flag), and never waits for a pipe's reader. */
const FLAGS =
  constants.O_WRONLY |
  constants.O_APPEND |
  constants.O_CREAT |
  (constants.O_NOFOLLOW ?? 0) |
  (constants.O_NONBLOCK ?? 0);

/**
 * A file that grows record by record and never holds half a record for long: when the disk is full, records wait in
 * memory and are written with the next one.
 */
export class AppendFile {
  private readonly waiting: Uint8Array[] = [];
  private size: number;
  private failing = false;

  /**
   * @param warn told once when writing begins to fail; without it `append` throws.
   * @throws FileError if something else than a file is there.
   */
  constructor(
    readonly path: string,
    private readonly warn?: (message: string) => void,
  ) {
    this.size = checkTarget(path)?.size ?? 0;
  }

  /** @throws FileError if it cannot be written and nobody is told otherwise; the record is then tried again too. */
  append(record: Uint8Array | string): void {
    this.waiting.push(typeof record === 'string' ? Buffer.from(record) : record);
    try {
      this.write();
      this.failing = false;
    } catch (error) {
      const problem = isSystemError(error) ? fileError(this.path, 'written', error) : error;
      if (!(problem instanceof FileError) || this.warn === undefined) throw problem;
      if (!this.failing) this.warn(`${problem.message}; trying again later`);
      this.failing = true;
    }
  }

  private write(): void {
    const descriptor = openSync(this.path, FLAGS, 0o666);
    try {
      const found = fstatSync(descriptor);
      if (!found.isFile()) throw new FileError(this.path, `cannot be written: it is ${kindOf(found)}, expected a file`);
      // What an earlier attempt wrote in part is cut off first; a file that was taken away begins anew.
      const size = Math.min(this.size, found.size);
      ftruncateSync(descriptor, size);
      const bytes = Buffer.concat(this.waiting);
      writeFully(descriptor, bytes);
      this.size = size + bytes.length;
    } finally {
      closeSync(descriptor);
    }
    this.waiting.length = 0;
  }
}
