import { closeSync, openSync, writeSync } from 'node:fs';
import type { CocoResult } from '@cocoeval/ts';

/** A results file in COCO's format, written as results come. */
export class ResultsFile {
  readonly #file: number;
  #separator = '[';

  constructor(path: string) {
    this.#file = openSync(path, 'w');
  }

  add(results: readonly CocoResult[]): void {
    for (const result of results) {
      writeSync(this.#file, `${this.#separator}\n${JSON.stringify(result)}`);
      this.#separator = ',';
    }
  }

  close(): void {
    writeSync(this.#file, this.#separator === '[' ? '[]\n' : '\n]\n');
    closeSync(this.#file);
  }
}
