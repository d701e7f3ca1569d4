/** A process of a benchmark that runs its case as often as it is asked to, over its standard input and output. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface, type Interface } from 'node:readline';

/** Of every contender. */
export const THREADS = '2';

interface Answer {
  readonly wallMs: readonly number[];
  readonly cpuMs: number;
  readonly peakMB: number;
  /** Milliseconds of what comes before the first result. */
  readonly parts?: Readonly<Record<string, number>>;
}

export class Contender {
  readonly wallMs: number[] = [];
  readonly cpuMs: number[] = [];
  peakMB = 0;
  parts: Readonly<Record<string, number>> = {};
  private readonly started = performance.now();
  private readonly lines: AsyncIterator<string>;

  private constructor(
    readonly mode: string,
    private readonly process: ChildProcess,
    reader: Interface,
  ) {
    this.lines = reader[Symbol.asyncIterator]();
  }

  static start(mode: string, command: string, args: readonly string[]): Contender {
    const env = { ...process.env, OMP_NUM_THREADS: THREADS };
    const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'], env });
    return new Contender(mode, child, createInterface({ input: child.stdout }));
  }

  /** Two runs that count for nothing: the first records or allocates. */
  async warmUp(): Promise<number> {
    const { wallMs } = await this.ask(2);
    return wallMs.at(-1) as number;
  }

  async round(repeats: number): Promise<void> {
    const { wallMs, cpuMs, peakMB } = await this.ask(repeats);
    this.wallMs.push(...wallMs);
    this.cpuMs.push(cpuMs);
    this.peakMB = peakMB;
  }

  /** The first run, timed from the start of the process. */
  async first(): Promise<void> {
    const { cpuMs, peakMB, parts = {} } = await this.ask(1);
    this.wallMs.push(performance.now() - this.started);
    this.cpuMs.push(cpuMs);
    Object.assign(this, { peakMB, parts });
  }

  async end(): Promise<void> {
    this.process.stdin?.end();
    if (this.process.exitCode === null) await once(this.process, 'exit');
  }

  private async ask(repeats: number): Promise<Answer> {
    this.process.stdin?.write(`${repeats}\n`);
    const { value, done } = await this.lines.next();
    if (done === true) throw new Error(`the process for '${this.mode}' ended before it answered`);
    return JSON.parse(value) as Answer;
  }
}
