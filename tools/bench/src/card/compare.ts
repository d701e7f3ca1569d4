/** What a card gave beside what the processor gave. */
import type { Precision } from '@pyramidal/graph';
import type { Numbers } from './case';
import type { CaseAnswer } from './worker';

/** One case in one precision. */
export interface Comparison extends Pick<CaseAnswer, 'kind' | 'name'> {
  readonly precision: Precision;
  /** The largest difference over the largest value of the same output; NaN where there are no numbers to compare. */
  readonly difference: number;
  /** In one line; undefined where all is well. */
  readonly fault: string | undefined;
}

/**
 * How far numbers may be apart, as a share of the largest value. float32: sums in another order, through a whole network. Half
 * width: its rounding (2^-9 of bf16, 2^-12 of fp16), a few products deep; a network's is judged by its loss alone, since
 * what a detector learns from is chosen by comparing such values.
 */
const TOLERANCES: Readonly<Record<Precision, number>> = { float32: 2e-3, bf16: 0.1, fp16: 0.03 };

/** Of one kernel, whose sums are short; processors sum some products of fp16 in fp16. */
const KERNEL_TOLERANCES: Readonly<Record<Precision, number>> = { float32: 1e-4, bf16: 0.02, fp16: 6e-3 };

/** What an update tells besides what it computes; one that is skipped had gradients that are not finite. */
const [LOSS_SCALE, SKIPPED] = ['lossScale', 'skipped'];

/** @param expected of the same case, computed by the processor in float32. */
export function compare(precision: Precision, received: CaseAnswer, expected: CaseAnswer | undefined): Comparison {
  const { kind, name } = received;
  const failed = (fault: string): Comparison => ({ kind, name, precision, difference: NaN, fault });
  if (received.error !== undefined) return failed(received.error);
  if (expected?.numbers === undefined) return failed(`nothing to compare with: ${expected?.error ?? 'not computed'}`);
  const tolerance = (kind === 'kernel' ? KERNEL_TOLERANCES : TOLERANCES)[precision];
  const isNetwork = kind !== 'kernel';
  const judged = ([key]: [string, unknown]): boolean => !isNetwork || precision === 'float32' || key === 'loss';
  const { [LOSS_SCALE]: _scale, [SKIPPED]: skipped, ...numbers } = received.numbers ?? {};
  if (skipped?.[0] === 1) return failed('the gradients are not finite: the update was skipped');
  const entries = Object.entries(numbers);
  const infinite = entries.find(([, values]) => !values.every(Number.isFinite));
  if (infinite !== undefined) return failed(`${infinite[0]} is not finite`);
  const differences = entries
    .filter(judged)
    .map(([key, values]) => [key, differenceOf(values, expected.numbers?.[key])] as const);
  const [key, difference] = differences.reduce((worst, each) => (each[1] > worst[1] ? each : worst));
  const fault =
    difference <= tolerance ? undefined : `${key} differs by ${share(difference)}, expected ${share(tolerance)}`;
  return { kind, name, precision, difference, fault };
}

/** @returns Infinity for another number of values. */
function differenceOf(values: readonly number[], expected: Numbers[string] | undefined): number {
  if (values.length !== expected?.length) return Infinity;
  const largest = expected.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  const apart = values.reduce((most, value, i) => Math.max(most, Math.abs(value - expected[i]!)), 0);
  return apart === 0 ? 0 : apart / largest;
}

const share = (value: number): string =>
  Number.isFinite(value) ? `${value.toExponential(1)} of the largest` : 'its size';
