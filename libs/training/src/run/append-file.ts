import { closeSync, existsSync, fstatSync, ftruncateSync, openSync, statSync, writeSync } from 'node:fs';
import { reasonOf } from '../training-error';

/**
 * A file that grows record by record and never holds half a record for long: when the disk is full, records wait in
 * memory and are written with the next one.
 */
export class AppendFile {
  readonly #waiting: Uint8Array[] = [];
  #size: number;
  #failing = false;

  /** @param warn told once when writing begins to fail. */
  constructor(
    readonly path: string,
    private readonly warn: (message: string) => void,
  ) {
    this.#size = existsSync(path) ? statSync(path).size : 0;
  }

  append(record: Uint8Array): void {
    this.#waiting.push(record);
    try {
      this.#write();
      this.#failing = false;
    } catch (error) {
      if (!this.#failing) this.warn(`${this.path}: cannot be written: ${reasonOf(error)}; trying again later`);
      this.#failing = true;
    }
  }

  #write(): void {
    const bytes = Buffer.concat(this.#waiting);
    const descriptor = openSync(this.path, 'a');
    try {
      // What an earlier attempt wrote in part is cut off first; a file that was taken away begins anew.
      const size = Math.min(this.#size, fstatSync(descriptor).size);
      ftruncateSync(descriptor, size);
      for (let done = 0; done < bytes.length;) done += writeSync(descriptor, bytes, done);
      this.#size = size + bytes.length;
    } finally {
      closeSync(descriptor);
    }
    this.#waiting.length = 0;
  }
}
