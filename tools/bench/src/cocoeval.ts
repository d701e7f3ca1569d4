/**
 * @cocoeval/ts against pycocotools, faster-coco-eval and two packages in Rust: load, evaluation and table of a set of the size
 * of val2017, each run in a process of its own, the contenders taking turns; each round gives one ratio. The package runs as it
 * is published; its answers must equal pycocotools' to the last bit.
 */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { UsageError, type BenchOptions, type Benchmark, type BenchRow } from './benchmark';
import { build } from './build';
import { cocoevalData, type CocoevalData } from './cocoeval-data';
import { watchMachine } from './machine-load';
import { median, quantile } from './quantile';

const ROUNDS = 11;
/** Those that take many seconds run in one of so many rounds. */
const SLOW_EVERY = 5;
const THREADS = [1, 2];
const OURS = '@cocoeval/ts';
const WORKSPACE = join(__dirname, '../../..');
const PEERS = join(__dirname, '../peers');

interface Measured {
  readonly wallMs: number;
  readonly cpuMs: number;
  readonly peakMB: number;
  readonly stats: readonly number[];
  readonly answers: Readonly<Record<string, string>>;
}

interface Task {
  readonly name: string;
  readonly iouType: 'bbox' | 'segm';
  readonly results: keyof CocoevalData;
}

interface Contender {
  readonly engine: string;
  readonly mode: string;
  readonly isSlow: boolean;
  readonly run: (gt: string, dt: string, iouType: string) => Measured;
}

const TASKS: readonly Task[] = [
  { name: 'boxes', iouType: 'bbox', results: 'boxes' },
  { name: 'masks', iouType: 'segm', results: 'masks' },
];

/** A contender with what it measured, by round. */
interface Rounds {
  readonly contender: Contender;
  readonly measured: Map<number, Measured>;
}

export const cocoeval: Benchmark = async (options) => {
  const tasks = TASKS.filter(({ name }) => name.startsWith(options.case ?? ''));
  if (tasks.length === 0) {
    throw new UsageError(
      `cocoeval: expected one of ${TASKS.map(({ name }) => name).join(', ')}, received ${options.case}`,
    );
  }
  build('libs/cocoeval');
  options.log('cocoeval: writing the data, where they are not there yet');
  const data = cocoevalData();
  const contenders = [...THREADS.map(ours), ...peers(options)];
  return tasks.flatMap((task) => compare(task, contenders, data, options));
};

function compare(task: Task, contenders: readonly Contender[], data: CocoevalData, { log }: BenchOptions): BenchRow[] {
  const machine = watchMachine();
  const rounds = contenders.map((contender): Rounds => ({ contender, measured: new Map() }));
  for (let round = 0; round < ROUNDS; round++) {
    for (const { contender, measured } of rounds) {
      if (contender.isSlow && round % SLOW_EVERY !== 0) continue;
      measured.set(round, contender.run(data.gt, data[task.results], task.iouType));
    }
    log(`${task.name}, round ${round + 1} of ${ROUNDS}: ${machine()}`);
  }
  checkAnswers(task, rounds, log);
  const own = rounds.slice(0, THREADS.length);
  const others = rounds.slice(THREADS.length);
  return [
    ...own.map((each) => rowOf(task, each, each.contender.mode)),
    ...others.flatMap((peer) => own.map((each) => ratioRow(task, each, peer))),
    ...own.slice(1).map((each) => ratioRow(task, each, own[0] as Rounds)),
  ];
}

function rowOf({ name }: Task, { contender, measured }: Rounds, mode: string): BenchRow {
  const all = [...measured.values()];
  return {
    case: name,
    engine: contender.engine,
    mode,
    wallMs: median(all.map(({ wallMs }) => wallMs)),
    cpuMs: median(all.map(({ cpuMs }) => cpuMs)),
    peakMB: Math.max(...all.map(({ peakMB }) => peakMB)),
    ratioToPeer: null,
  };
}

/** A peer's row, with our time over its own, round by round. */
function ratioRow(task: Task, ours: Rounds, peer: Rounds): BenchRow {
  const ratios = [...peer.measured].flatMap(([round, { wallMs }]) => {
    const own = ours.measured.get(round);
    return own === undefined ? [] : [own.wallMs / wallMs];
  });
  return {
    ...rowOf(task, peer, `ours in ${ours.contender.mode} / ${peer.contender.engine === OURS ? 'in 1' : 'peer'}`),
    ratioToPeer: median(ratios),
    quartiles: [quantile(ratios, 0.25), quantile(ratios, 0.75)],
  };
}

/** @throws Error unless the package and pycocotools give the same bits; it says how far the others are off. */
function checkAnswers(task: Task, rounds: readonly Rounds[], log: (line: string) => void): void {
  const reference = rounds.find(({ contender }) => contender.engine === 'pycocotools') ?? (rounds[0] as Rounds);
  const expected = reference.measured.get(0) as Measured;
  const answerOf = ({ stats, answers }: Measured): string => JSON.stringify([stats, answers]);
  for (const { contender, measured } of rounds) {
    const { engine, mode } = contender;
    const other = [...measured.values()].find((each) => answerOf(each) !== answerOf(expected));
    if (other === undefined) {
      log(`${task.name}, ${engine}, ${mode}: precision, recall, scores and stats equal bit for bit`);
    } else if (engine === OURS) {
      throw new Error(`cocoeval: ${task.name}: answers differ: ${other.stats} and ${expected.stats}`);
    } else {
      const off = Math.max(...other.stats.map((value, s) => Math.abs(value - (expected.stats[s] as number))));
      log(`${task.name}, ${engine}: stats differ by up to ${off.toExponential(1)}`);
    }
  }
}

function ours(threads: number): Contender {
  return {
    engine: OURS,
    mode: threads === 1 ? '1 thread' : `${threads} threads`,
    isSlow: false,
    run: (gt, dt, iouType) =>
      measure(process.execPath, [join(PEERS, 'cocoeval_ts.mjs'), gt, dt, iouType, String(threads)]),
  };
}

function peers({ python, log }: BenchOptions): Contender[] {
  if (python === undefined) {
    log('cocoeval: PYRAMIDAL_PYTHON names no Python: without pycocotools');
    return [];
  }
  const found = PEERS_IN_PYTHON.filter(({ engine, module }) => {
    const isThere = hasModule(python, module);
    if (!isThere) log(`cocoeval: ${python} has no ${engine}: without it`);
    return isThere;
  });
  return found.map(({ engine, module, isSlow }) => ({
    engine,
    mode: 'as it comes',
    isSlow,
    run: (gt, dt, iouType) => measure(python, [join(PEERS, 'cocoeval_python.py'), module, gt, dt, iouType]),
  }));
}

/** The reference, its C++ offspring, and two packages in Rust. */
const PEERS_IN_PYTHON = [
  { engine: 'pycocotools', module: 'pycocotools', isSlow: true },
  { engine: 'faster-coco-eval', module: 'faster_coco_eval', isSlow: true },
  { engine: 'ultrafast-pycocotools', module: 'ultrafast_pycocotools', isSlow: false },
  { engine: 'hotcoco', module: 'hotcoco', isSlow: false },
] as const;

function hasModule(python: string, module: string): boolean {
  const code = `import importlib.util; print(importlib.util.find_spec("${module}") is not None)`;
  return execFileSync(python, ['-c', code], { encoding: 'utf8' }).trim() === 'True';
}

function measure(command: string, args: readonly string[]): Measured {
  const environment = { ...process.env, NODE_OPTIONS: '' };
  const output = execFileSync(command, args, { encoding: 'utf8', env: environment, cwd: WORKSPACE });
  return JSON.parse(output.trim().split('\n').at(-1) as string) as Measured;
}
