/** Files too large to keep in memory: written piece by piece under another name, there under their own when complete. */
import { closeSync, fchmodSync, fsyncSync, openSync, renameSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileError, isSystemError } from './file-error';
import { checkTarget, discard, flushFolder, temporaryName, writeFully } from './write-file';

/** A file that takes its place when it is complete; until then, and if it never is, an older file stays as it was. */
export class PendingFile {
  private readonly temporary: string;
  private descriptor: number | undefined;

  /** @throws FileError if nothing can be written there; a symbolic link, a folder, a device or a pipe is refused. */
  constructor(readonly path: string) {
    const old = checkTarget(path);
    this.temporary = join(dirname(path), temporaryName());
    this.descriptor = this.attempt(() => openSync(this.temporary, 'wx'));
    if (old !== undefined) this.attempt(() => fchmodSync(this.open(), old.mode & 0o777));
  }

  /** @throws FileError that names the file and the reason; nothing is left of it then. */
  write(piece: string | Uint8Array): void {
    this.attempt(() => writeFully(this.open(), typeof piece === 'string' ? Buffer.from(piece) : piece));
  }

  /** Flushes it and puts it in its place. @throws FileError; nothing is left of it then. */
  complete(): void {
    this.attempt(() => {
      fsyncSync(this.open());
      this.close();
      renameSync(this.temporary, this.path);
      flushFolder(dirname(this.path));
    });
  }

  /** Takes away what was written, unless it is complete. */
  discard(): void {
    if (this.descriptor === undefined) return;
    this.close();
    discard(this.temporary);
  }

  private open(): number {
    if (this.descriptor === undefined) throw new Error(`${this.path}: is not open any more`);
    return this.descriptor;
  }

  private close(): void {
    closeSync(this.open());
    this.descriptor = undefined;
  }

  private attempt<T>(action: () => T): T {
    try {
      return action();
    } catch (error) {
      this.discard();
      throw isSystemError(error) ? fileError(this.path, 'written', error) : error;
    }
  }
}
