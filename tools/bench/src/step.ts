/**
 * GroupMixFormer's forward pass and training step (AdamW, gradients clipped): operation by operation, compiled, and in
 * PyTorch. Every contender runs in a process of its own with the same two threads, ours from the compiled JavaScript; the
 * rounds of the last two alternate, so that other load of the machine meets both in the same way.
 */
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface, type Interface } from 'node:readline';
import type { Benchmark, BenchOptions, BenchRow } from './benchmark';
import { build } from './build';

const THREADS = '2';
const ROUNDS = 5;
const ROUND_MS = 3000;
const VARIANTS = ['tiny', 'small'];
const BATCHES = [1, 8];
const TASKS = ['forward', 'train'];
const ENGINES: Readonly<Record<string, string>> = { 'PyTorch eager': 'torch', wasm: 'wasm' };
const PROFILE = join(__dirname, '../dist/step/profile.js');
const TIMELINES = join(__dirname, '../../../runs/bench');
const OURS = join(__dirname, '../dist/step/contender.js');
const PEER = join(__dirname, '../peers/step_contender.py');

interface Answer {
  readonly wallMs: readonly number[];
  readonly cpuMs: number;
  readonly peakMB: number;
}

/** A process that runs a case as often as it is asked to. */
class Contender {
  readonly wallMs: number[] = [];
  readonly cpuMs: number[] = [];
  peakMB = 0;
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

  async end(): Promise<void> {
    this.process.stdin?.end();
    await once(this.process, 'exit');
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
  if (options.profile === true) return profile(options);
  const rows: BenchRow[] = [];
  for (const variant of VARIANTS) {
    for (const batch of BATCHES) {
      for (const task of TASKS) rows.push(...(await measure([variant, String(batch), task], options)));
    }
  }
  return rows;
};

/** Writes a timeline of each case and prints the time by kinds of operations; nothing is measured. */
function profile({ log }: BenchOptions): BenchRow[] {
  mkdirSync(TIMELINES, { recursive: true });
  for (const batch of BATCHES) {
    for (const task of TASKS) {
      const file = join(TIMELINES, `step-tiny-${batch}-${task}.json`);
      const env = { ...process.env, OMP_NUM_THREADS: THREADS };
      execFileSync(process.execPath, [PROFILE, 'tiny', String(batch), task, file], { stdio: 'inherit', env });
      log(`step: tiny ${batch} ${task}: timeline in ${file}`);
    }
  }
  return [];
}

/** The eager contenders go first, alone: their memory and that of the others would not fit side by side everywhere. */
async function measure(args: readonly string[], { python, log }: BenchOptions): Promise<BenchRow[]> {
  const [, batch, task] = args;
  const eager = await alternate([() => ours('eager', args)]);
  // The activations of a larger training step do not fit into WebAssembly's 4 GiB.
  if (task === 'forward' || batch === '1') eager.push(...(await alternate([() => ours('wasm', args)])));
  const others = [() => ours('compiled', args), ...(python === undefined ? [] : [() => peer(python, args)])];
  const rows = summarize(args, [...eager, ...(await alternate(others))]);
  for (const { engine, mode, wallMs, cpuMs, peakMB, ratioToPeer } of rows) {
    const times = `${wallMs.toFixed(0)} ms, CPU ${cpuMs.toFixed(0)} ms`;
    log(
      `step: ${args.join(' ')} ${engine} ${mode}: ${times}, ${peakMB.toFixed(0)} MB, ${ratioToPeer?.toFixed(2) ?? '-'}`,
    );
  }
  return rows;
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

function peer(python: string, args: readonly string[]): Contender {
  return Contender.start('PyTorch eager', python, [PEER, ...args]);
}

/** Medians; the ratio is of median wall times. */
function summarize([variant, batch, task]: readonly string[], contenders: readonly Contender[]): BenchRow[] {
  const rival = contenders.find(({ mode }) => mode === 'PyTorch eager');
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

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return (
    ((sorted[Math.floor((sorted.length - 1) / 2)] ?? NaN) + (sorted[Math.ceil((sorted.length - 1) / 2)] ?? NaN)) / 2
  );
}

export { Contender, median };
