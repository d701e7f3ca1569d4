/** A JSON file that holds a list too long to be kept in memory: COCO's results files, predictions. */
import { PendingFile } from '@pyramidal/files';

/** A list that is written record by record, a line each, and takes the place of an older file when it is complete. */
export class JsonList {
  private readonly file: PendingFile;
  private separator = '[';

  /** @throws FileError if nothing can be written there. */
  constructor(path: string) {
    this.file = new PendingFile(path);
  }

  /** @throws FileError */
  add(...records: readonly unknown[]): void {
    for (const record of records) {
      this.file.write(`${this.separator}\n${JSON.stringify(record)}`);
      this.separator = ',';
    }
  }

  /** Ends the list and puts it in its place. @throws FileError */
  complete(): void {
    this.file.write(this.separator === '[' ? '[]\n' : '\n]\n');
    this.file.complete();
  }

  /** Takes away what was written, unless it is complete. */
  discard(): void {
    this.file.discard();
  }
}
