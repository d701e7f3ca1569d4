/**
 * GroupMixFormer's forward pass and training step (AdamW, gradients clipped): operation by operation, compiled, and in
 * PyTorch, eager and compiled. Every contender runs in a process of its own with the same two threads, ours from the compiled
 * JavaScript; rounds of ours and a peer alternate, so that other load of the machine meets both in the same way.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { UsageError, type Benchmark, type BenchOptions, type BenchRow } from './benchmark';
import { build } from './build';
import { Contender, THREADS } from './contender';
import { median } from './quantile';
import { alternate, summarize } from './rounds';

const ROUNDS = 5;
const ROUND = { rounds: ROUNDS, roundMs: 3000 };
const VARIANTS = ['tiny', 'small'];
const BATCHES = [1, 8];
const TASKS = ['forward', 'train'];
const EAGER = 'PyTorch eager';
const COMPILED = 'torch.compile';
/** The mode in which the table shows another checkout's compiled step. */
const AGAINST = 'compiled, against';
const PROFILE = join(__dirname, '../dist/step/profile.js');
const TIMELINES = join(__dirname, '../../../runs/bench');
const CONTENDER = 'dist/step/contender.js';
const OURS = join(__dirname, '..', CONTENDER);
const PEER = join(__dirname, '../peers/step_contender.py');

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
  const name = nameOf(args);
  const beside = async (...peers: (() => Contender)[]): Promise<BenchRow[]> =>
    summarize(name, await alternate([() => ours('compiled', args), ...peers], ROUND), log);
  if (against !== undefined) return beside(() => other(against, args));
  const rows = await measureEager(args, log);
  if (python === undefined) return [...rows, ...(await beside())];
  rows.push(...(await beside(() => peer(EAGER, python, args))));
  // In rounds of its own: it compiles for minutes, with the C++ compiler of the machine, and may fail.
  const compiled = await beside(() => peer(COMPILED, python, args)).catch((error: Error) => {
    log(`${name}: ${COMPILED}: ${error.message}`);
    return [];
  });
  return [...rows, ...compiled.slice(1)];
}

const nameOf = ([variant, batch, task]: readonly string[]): string =>
  `GroupMixFormer ${variant}, 224, batch ${batch}, ${task}`;

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
  return [...new Set(processes.map(({ mode }) => mode))].map((mode) => {
    const own = processes.filter((contender) => contender.mode === mode);
    return {
      case: `${nameOf(args)}, first of a process`,
      engine: 'tensorflow',
      mode,
      wallMs: median(own.flatMap(({ wallMs }) => wallMs)),
      cpuMs: median(own.flatMap(({ cpuMs }) => cpuMs)),
      peakMB: Math.max(...own.map(({ peakMB }) => peakMB)),
      ratioToPeer: null,
    };
  });
}

async function measureEager(args: readonly string[], log: BenchOptions['log']): Promise<BenchRow[]> {
  const [, batch, task] = args;
  // The activations of a larger training step do not fit into WebAssembly's 4 GiB.
  const engines = { eager: 'tensorflow', ...((task === 'forward' || batch === '1') && { wasm: 'wasm' }) };
  const rows: BenchRow[] = [];
  for (const [mode, engine] of Object.entries(engines)) {
    const [row] = summarize(nameOf(args), await alternate([() => ours(mode, args)], ROUND), log);
    rows.push({ ...row!, engine, mode: 'eager' });
  }
  return rows;
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

function peer(mode: string, python: string, args: readonly string[]): Contender {
  return Contender.start(mode, python, [PEER, ...args, ...(mode === COMPILED ? ['compiled'] : [])]);
}
