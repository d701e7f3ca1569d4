/** One measured line: a case on one engine, with its peer's time in the same run as a ratio (below 1 is faster). */
export interface BenchRow {
  readonly case: string;
  readonly engine: string;
  readonly mode: string;
  readonly wallMs: number;
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
  /** Prints one line of progress. */
  readonly log: (line: string) => void;
}

export type Benchmark = (options: BenchOptions) => Promise<BenchRow[]>;
