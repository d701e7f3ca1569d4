/**
 * @cocoeval/ts against pycocotools, faster-coco-eval and two packages in Rust: load, evaluation and table of a set of the size of val2017, each run in
 * a process of its own, the contenders taking turns. The package runs as it is published; its answers must equal
 * pycocotools' to the last bit.
 */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import type { BenchOptions, Benchmark, BenchRow } from './benchmark';
import { build } from './build';
import { cocoevalData, type CocoevalData } from './cocoeval-data';
import { median } from './quantile';

const ROUNDS = 3;
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
  readonly run: (gt: string, dt: string, iouType: string) => Measured;
}

const TASKS: readonly Task[] = [
  { name: 'boxes', iouType: 'bbox', results: 'boxes' },
  { name: 'masks', iouType: 'segm', results: 'masks' },
];

export const cocoeval: Benchmark = async (options) => {
  build('libs/cocoeval');
  options.log('cocoeval: writing the data, where they are not there yet');
  const data = cocoevalData();
  const contenders = [ours(1), ours(2), ...peers(options)];
  return TASKS.flatMap((task) => compare(task, contenders, data, options));
};

function compare(task: Task, contenders: readonly Contender[], data: CocoevalData, { log }: BenchOptions): BenchRow[] {
  const runs = contenders.map((): Measured[] => []);
  for (let round = 0; round < ROUNDS; round++) {
    contenders.forEach(({ engine, mode, run }, i) => {
      const measured = run(data.gt, data[task.results], task.iouType);
      runs[i]?.push(measured);
      log(
        `${task.name}, ${engine}, ${mode}: ${(measured.wallMs / 1000).toFixed(2)} s, ${measured.peakMB.toFixed(0)} MB`,
      );
    });
  }
  checkAnswers(task, contenders, runs, log);
  const wall = runs.map((list) => median(list.map(({ wallMs }) => wallMs)));
  const peer = contenders.findIndex(({ engine }) => engine === 'pycocotools');
  return contenders.map(({ engine, mode }, i) => ({
    case: task.name,
    engine,
    mode,
    wallMs: wall[i] as number,
    cpuMs: median((runs[i] as Measured[]).map(({ cpuMs }) => cpuMs)),
    peakMB: Math.max(...(runs[i] as Measured[]).map(({ peakMB }) => peakMB)),
    ratioToPeer: peer < 0 || peer === i ? null : (wall[i] as number) / (wall[peer] as number),
  }));
}

/** @throws Error unless the package and pycocotools give the same bits; it says how far the others are off. */
function checkAnswers(
  task: Task,
  contenders: readonly Contender[],
  runs: readonly (readonly Measured[])[],
  log: (line: string) => void,
): void {
  const reference = contenders.findIndex(({ engine }) => engine === 'pycocotools');
  const expected = runs[Math.max(0, reference)]?.[0] as Measured;
  contenders.forEach(({ engine }, i) => {
    for (const { stats, answers } of runs[i] as readonly Measured[]) {
      const equal = JSON.stringify([stats, answers]) === JSON.stringify([expected.stats, expected.answers]);
      if (equal) continue;
      if (engine === '@cocoeval/ts')
        throw new Error(`cocoeval: ${task.name}: answers differ: ${stats} and ${expected.stats}`);
      const off = Math.max(...stats.map((value, s) => Math.abs(value - (expected.stats[s] as number))));
      log(`${task.name}, ${engine}: stats differ by up to ${off.toExponential(1)}`);
      return;
    }
    if (i !== reference) log(`${task.name}, ${engine}: precision, recall, scores and stats equal bit for bit`);
  });
}

function ours(threads: number): Contender {
  return {
    engine: '@cocoeval/ts',
    mode: threads === 1 ? '1 thread' : `${threads} threads`,
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
  return found.map(({ engine, module }) => ({
    engine,
    mode: '1 thread',
    run: (gt, dt, iouType) => measure(python, [join(PEERS, 'cocoeval_python.py'), module, gt, dt, iouType]),
  }));
}

/** The reference, its C++ offspring, and two packages in Rust. */
const PEERS_IN_PYTHON = [
  { engine: 'pycocotools', module: 'pycocotools' },
  { engine: 'faster-coco-eval', module: 'faster_coco_eval' },
  { engine: 'ultrafast-pycocotools', module: 'ultrafast_pycocotools' },
  { engine: 'hotcoco', module: 'hotcoco' },
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
