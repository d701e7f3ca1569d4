/** Early stopping: how many evaluations a run may go on without improving. */
import type { BestRule } from './keeper';

/** An evaluation, as the log has it. */
export interface Evaluated {
  /** Updates done. */
  readonly step: number;
  readonly metrics: Readonly<Record<string, number>>;
}

/**
 * Counts evaluations since the best one. It is made of the evaluations alone, so that a run that goes on from its log stops
 * where it would have stopped.
 */
export class Patience {
  private best: { readonly step: number; readonly value: number } | undefined;
  private since = 0;

  /** @param limit evaluations in a row that may bring nothing new; undefined never ends. */
  constructor(
    private readonly rule: BestRule,
    private readonly limit: number | undefined,
  ) {}

  /** Takes the next evaluation into account; a metric that is not a number is no improvement. */
  add({ step, metrics }: Evaluated): void {
    const value = metrics[this.rule.metric] ?? NaN;
    const best = this.best?.value;
    const isBetter = !Number.isNaN(value) && (best === undefined || isBetterThan(value, best, this.rule));
    if (isBetter) this.best = { step, value };
    this.since = isBetter ? 0 : this.since + 1;
  }

  get isOver(): boolean {
    return this.limit !== undefined && this.since >= this.limit;
  }

  /** Why a run ends. */
  describe(): string {
    const { best, since, rule } = this;
    const record = best === undefined ? 'it was never a number' : `its best is ${best.value} at step ${best.step}`;
    return `${rule.metric} has not improved in ${since} evaluation${since === 1 ? '' : 's'}, ${record}`;
  }
}

/** Whether a metric beats another, by the rule of its run. */
export const isBetterThan = (value: number, best: number, { mode = 'max' }: BestRule): boolean =>
  mode === 'max' ? value > best : value < best;
