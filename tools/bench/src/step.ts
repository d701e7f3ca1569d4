/**
 * GroupMixFormer's forward pass and training step (AdamW, gradients clipped): operation by operation, compiled, and in
 * PyTorch. Every contender runs in a process of its own with the same two threads, ours from the compiled JavaScript; the
 * rounds of the last two alternate, so that other load of the machine meets both in the same way.
 */
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { createInterface, type Interface } from 'node:readline';
import { UsageError, type Benchmark, type BenchOptions, type BenchRow } from './benchmark';
import { build } from './build';
import { median } from './quantile';

const THREADS = '2';
const ROUNDS = 5;
const ROUND_MS = 3000;
const VARIANTS = ['tiny', 'small'];
const BATCHES = [1, 8];
const TASKS = ['forward', 'train'];
const ENGINES: Readonly<Record<string, string>> = { 'PyTorch eager': 'torch', wasm: 'wasm' };
/** The mode in which the table shows another checkout's compiled step. */
const AGAINST = 'compiled, against';
const PROFILE = join(__dirname, '../dist/step/profile.js');
const TIMELINES = join(__dirname, '../../../runs/bench');
const CONTENDER = 'dist/step/contender.js';
const OURS = join(__dirname, '..', CONTENDER);
const PEER = join(__dirname, '../peers/step_contender.py');

interface Answer {
  readonly wallMs: readonly number[];
  readonly cpuMs: number;
  readonly peakMB: number;
  /** Milliseconds of what comes before the first result. */
  readonly parts?: Readonly<Record<string, number>>;
}

type Measured = Pick<Contender, 'mode' | 'wallMs' | 'cpuMs' | 'peakMB'>;

/** A process that runs a case as often as it is asked to. */
class Contender {
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
    if (done === true) throw new Error(`step: the process for '${this.mode}' ended before it answered`);
    return JSON.parse(value) as Answer;
  }
}

export const step: Benchmark = async (options) => {
  build('tools/bench/tsconfig.lib.json');
  const cases = casesOf(options);
  if (options.profile === true) return profile(cases, options);
  const rows: BenchRow[] = [];
  const how = options.first === true ? measureFirst : measure;
  for (const args of cases) rows.push(...(await how(args, options)));
  return rows;
};

/** Variant, batch and task of each case whose name begins like the one that is asked for. */
function casesOf({ case: wanted = '' }: BenchOptions): string[][] {
  const all = VARIANTS.flatMap((variant) =>
    BATCHES.flatMap((batch) => TASKS.map((task) => [variant, String(batch), task])),
  );
  const cases = all.filter((args) => wanted.split('/').every((part, i) => part === '' || part === args[i]));
  if (cases.length > 0) return cases;
  const names = all.map((args) => args.join('/')).join(', ');
  throw new UsageError(`step: expected the first parts of one of ${names}, received ${wanted}`);
}

/** Writes a timeline of each case and prints where its time goes; nothing is measured. */
function profile(cases: readonly string[][], { log }: BenchOptions): BenchRow[] {
  mkdirSync(TIMELINES, { recursive: true });
  for (const args of cases) {
    const file = join(TIMELINES, `step-${args.join('-')}.json`);
    const env = { ...process.env, OMP_NUM_THREADS: THREADS };
    execFileSync(process.execPath, [PROFILE, ...args, file], { stdio: 'inherit', env });
    log(`step: ${args.join(' ')}: timeline in ${file}`);
  }
  return [];
}

/** The eager contenders go first, alone: their memory and that of the others would not fit side by side everywhere. */
async function measure(args: readonly string[], { python, against, log }: BenchOptions): Promise<BenchRow[]> {
  const eager = against === undefined ? await measureEager(args) : [];
  const others = [
    () => ours('compiled', args),
    ...(against === undefined ? [] : [() => other(against, args)]),
    ...(python === undefined ? [] : [() => peer(python, args)]),
  ];
  const rows = summarize(args, [...eager, ...(await alternate(others))]);
  for (const { engine, mode, wallMs, cpuMs, peakMB, ratioToPeer } of rows) {
    const times = `${wallMs.toFixed(0)} ms, CPU ${cpuMs.toFixed(0)} ms`;
    log(
      `step: ${args.join(' ')} ${engine} ${mode}: ${times}, ${peakMB.toFixed(0)} MB, ${ratioToPeer?.toFixed(2) ?? '-'}`,
    );
  }
  return rows;
}

/** Processes that give one result each, in alternation. */
async function measureFirst(args: readonly string[], { against, log }: BenchOptions): Promise<BenchRow[]> {
  const starts = [() => ours('compiled', args), ...(against === undefined ? [] : [() => other(against, args)])];
  const processes: Contender[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    for (const start of starts) {
      const contender = start();
      await contender.first();
      await contender.end();
      processes.push(contender);
      const parts = Object.entries(contender.parts).map(([name, ms]) => `${name} ${ms.toFixed(0)}`);
      log(
        `step: first ${args.join(' ')} ${contender.mode}: ${contender.wallMs[0]!.toFixed(0)} ms; ${parts.join(', ')}`,
      );
    }
  }
  const modes = [...new Set(processes.map(({ mode }) => mode))];
  const merged = modes.map((mode) => {
    const own = processes.filter((contender) => contender.mode === mode);
    return {
      mode,
      wallMs: own.flatMap(({ wallMs }) => wallMs),
      cpuMs: own.flatMap(({ cpuMs }) => cpuMs),
      peakMB: Math.max(...own.map(({ peakMB }) => peakMB)),
    };
  });
  return summarize(args, merged).map((row) => ({ ...row, case: `${row.case}, first of a process` }));
}

async function measureEager(args: readonly string[]): Promise<Contender[]> {
  const [, batch, task] = args;
  const eager = await alternate([() => ours('eager', args)]);
  // The activations of a larger training step do not fit into WebAssembly's 4 GiB.
  if (task === 'forward' || batch === '1') eager.push(...(await alternate([() => ours('wasm', args)])));
  return eager;
}

async function alternate(starts: readonly (() => Contender)[]): Promise<Contender[]> {
  const contenders = starts.map((start) => start());
  try {
    const repeats: number[] = [];
    for (const contender of contenders) {
      repeats.push(Math.max(1, Math.round(ROUND_MS / (await contender.warmUp()))));
    }
    for (let round = 0; round < ROUNDS; round++) {
      for (const [i, contender] of contenders.entries()) await contender.round(repeats[i] as number);
    }
    return contenders;
  } finally {
    for (const contender of contenders) await contender.end();
  }
}

function ours(mode: string, args: readonly string[]): Contender {
  return Contender.start(mode, process.execPath, [OURS, mode, ...args]);
}

/** The compiled contender of another checkout. */
function other(checkout: string, args: readonly string[]): Contender {
  const contender = join(resolve(checkout), 'tools/bench', CONTENDER);
  if (!existsSync(contender)) throw new UsageError(`step: ${contender} is missing; build that checkout's tools/bench`);
  return Contender.start(AGAINST, process.execPath, [contender, 'compiled', ...args]);
}

function peer(python: string, args: readonly string[]): Contender {
  return Contender.start('PyTorch eager', python, [PEER, ...args]);
}

/** Medians; the ratio is of median wall times, to the other checkout or to PyTorch. */
function summarize([variant, batch, task]: readonly string[], contenders: readonly Measured[]): BenchRow[] {
  const rival =
    contenders.find(({ mode }) => mode === AGAINST) ?? contenders.find(({ mode }) => mode === 'PyTorch eager');
  return contenders.map(({ mode, wallMs, cpuMs, peakMB }) => ({
    case: `GroupMixFormer ${variant}, 224, batch ${batch}, ${task}`,
    engine: ENGINES[mode] ?? 'tensorflow',
    mode: mode === 'wasm' ? 'eager' : mode,
    wallMs: median(wallMs),
    cpuMs: median(cpuMs),
    peakMB,
    ratioToPeer: rival === undefined || mode === rival.mode ? null : median(wallMs) / median(rival.wallMs),
  }));
}

export { Contender };
