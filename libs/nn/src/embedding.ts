/** Rows that are learned, under the name that PyTorch's `Embedding` has. */
import { type Initializer, normal } from './initializers';
import { Module } from './module';
import { Parameter } from './parameter';

/** A table of learned rows; whoever owns it says which are read. */
export class Embedding extends Module {
  /** float32 [rows, width]. */
  readonly weight: Parameter;

  constructor(rows: number, width: number, init: Initializer = normal(1)) {
    super();
    this.weight = new Parameter({ shape: [rows, width], init });
  }
}
