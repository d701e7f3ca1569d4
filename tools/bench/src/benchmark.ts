/** One measured line: a case on one engine, with its peer's time in the same run as a ratio (below 1 is faster). */
export interface BenchRow {
  readonly case: string;
  readonly engine: string;
  readonly mode: string;
  readonly wallMs: number;
  /** NaN where it is not measured. */
  readonly cpuMs: number;
  readonly peakMB: number;
  readonly ratioToPeer: number | null;
  /** First and third quartile of the ratio, where rounds give one each. */
  readonly quartiles?: readonly [number, number];
}

export interface BenchOptions {
  /** A Python with the peer libraries, from `PYRAMIDAL_PYTHON`; peers are left out where it is absent. */
  readonly python: string | undefined;
  /** Shows where the time goes in place of measuring it, where a benchmark can. */
  readonly profile?: boolean;
  /** Measures the first result of a process from its start, where a benchmark can. */
  readonly first?: boolean;
  /** The first parts of the names of the cases to run, such as `tiny/1`, where a benchmark has names for them. */
  readonly case?: string;
  /** Another checkout of this repository, built, to be measured in alternation with this one, where a benchmark can. */
  readonly against?: string;
  /** Prints one line of progress. */
  readonly log: (line: string) => void;
}

/** A benchmark is asked for what there is not. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
  readonly exitCode = 2;
}

export type Benchmark = (options: BenchOptions) => Promise<BenchRow[]>;
