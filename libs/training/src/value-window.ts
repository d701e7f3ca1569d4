/** The values of the updates since the last line of the log, averaged when the line is written. */
import * as tf from '@tensorflow/tfjs-core';
import { readScalars } from './fetch-values';
import { WEIGHT_NORM } from './train-step';
import { TrainingError } from './training-error';

/** The values of the updates since the last line of the log; what a checkpoint keeps of it is plain numbers. */
interface WindowState {
  readonly names: readonly string[];
  readonly rows: readonly (readonly number[])[];
}

/** What updates report between two lines of the log. Each is looked at as it comes in. */
export class ValueWindow {
  private names: readonly string[] = [];
  private rows: (readonly number[])[] = [];
  private latest: readonly number[] = [];

  /**
   * Takes over the scalars of one update.
   * @param step updates done, this one included.
   * @throws TrainingError if a value is not finite, naming the step and the values.
   */
  async add(step: number, { [WEIGHT_NORM]: weightNorm, ...values }: tf.NamedTensorMap): Promise<void> {
    const scalars = [...Object.values(values), ...(weightNorm === undefined ? [] : [weightNorm])];
    const read = await readScalars(scalars);
    tf.dispose(scalars);
    this.names = Object.keys(values);
    const row = read.slice(0, this.names.length);
    this.checkFinite(step, row, read[this.names.length] ?? 0);
    this.rows.push(row);
    this.latest = row;
  }

  /** Means of the values; the window is empty afterwards. */
  take(): Record<string, number> {
    const { rows } = this;
    this.rows = [];
    const mean = (column: number): number => rows.reduce((sum, row) => sum + (row[column] ?? NaN), 0) / rows.length;
    return Object.fromEntries(this.names.map((name, column) => [name, mean(column)]));
  }

  /** The newest value of a name, whether it was taken or not; undefined before the first update. */
  last(name: string): number | undefined {
    return this.latest[this.names.indexOf(name)];
  }

  /** For a checkpoint. */
  get state(): WindowState {
    return { names: this.names, rows: this.rows };
  }

  restore({ names, rows }: WindowState): void {
    this.names = names;
    this.rows = [...rows];
  }

  private checkFinite(step: number, row: readonly number[], weightNorm: number): void {
    const bad = this.names.flatMap((name, i) => (Number.isFinite(row[i]) ? [] : [`${name} is ${row[i]}`]));
    if (bad.length === 0 && Number.isFinite(weightNorm)) return;
    const loss = `loss is ${row[this.names.indexOf('loss')]}`;
    const what = bad.length > 0 ? bad.join(', ') : `${loss}, the update made the norm of the weights ${weightNorm}`;
    throw new TrainingError(`step ${step}: ${what}; ${ADVICE}`);
  }
}

/** What follows from values that are not finite. */
export const ADVICE =
  'training stops, the checkpoints written before are as they were ' +
  '(a lower learning rate, a longer warm-up or clipGradNorm may help)';
