import * as tf from '@tensorflow/tfjs-core';
import { TrainingError } from './training-error';

/** The values of the updates since the last line of the log; what a checkpoint keeps of it is plain numbers. */
export interface WindowState {
  readonly names: readonly string[];
  readonly rows: readonly (readonly number[])[];
}

/**
 * Collects what updates report without waiting for the engine: values stay there until `settle` fetches all of them
 * at once.
 */
export class ValueWindow {
  #names: readonly string[] = [];
  #rows: (readonly number[])[] = [];
  #pending: { readonly step: number; readonly values: tf.Tensor1D }[] = [];

  get length(): number {
    return this.#rows.length + this.#pending.length;
  }

  /** Takes over the scalars of one update. @param step updates done, this one included. */
  add(step: number, values: tf.NamedTensorMap): void {
    this.#names = Object.keys(values);
    this.#pending.push({ step, values: tf.tidy(() => tf.stack(Object.values(values)) as tf.Tensor1D) });
    tf.dispose(values);
  }

  /**
   * Fetches everything that is pending.
   * @throws TrainingError at the first update with a value that is not finite, naming the step and the values.
   */
  async settle(): Promise<void> {
    if (this.#pending.length === 0) return;
    const pending = this.#pending;
    this.#pending = [];
    const all = tf.tidy(() => tf.stack(pending.map(({ values }) => values)));
    const rows = (await all.array()) as number[][];
    tf.dispose([all, ...pending.map(({ values }) => values)]);
    rows.forEach((row, i) => this.#checkFinite(row, pending[i]!.step));
    this.#rows.push(...rows);
  }

  /** Means of the settled values; the window is empty afterwards. */
  take(): Record<string, number> {
    const rows = this.#rows;
    this.#rows = [];
    const mean = (column: number): number => rows.reduce((sum, row) => sum + row[column]!, 0) / rows.length;
    return Object.fromEntries(this.#names.map((name, column) => [name, mean(column)]));
  }

  /** Settled values, for a checkpoint. */
  get state(): WindowState {
    return { names: this.#names, rows: this.#rows };
  }

  restore({ names, rows }: WindowState): void {
    this.#names = names;
    this.#rows = [...rows];
  }

  dispose(): void {
    tf.dispose(this.#pending.map(({ values }) => values));
    this.#pending = [];
  }

  #checkFinite(row: readonly number[], step: number): void {
    const bad = this.#names.flatMap((name, i) => (Number.isFinite(row[i]) ? [] : [`${name} is ${row[i]}`]));
    if (bad.length === 0) return;
    throw new TrainingError(
      `step ${step}: ${bad.join(', ')}; training stops, the checkpoints written before are as they were ` +
        `(a lower learning rate, a longer warm-up or clipGradNorm may help)`,
    );
  }
}
