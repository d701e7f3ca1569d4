/**
 * Every family with every head as an ONNX model, run by ONNX Runtime's packages for Node and for browsers: how far its
 * outputs are from ours. A table of differences, not of times; with a Python that has onnx, its checker looks at each model.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Benchmark, type BenchOptions, UsageError } from './benchmark';
import { build } from './build';
import { FAMILIES, type Family, TASKS } from './onnx/networks';

const SCRIPTS = join(__dirname, '../dist/onnx');
const PEER = join(__dirname, '../peers/onnx_runtime.mjs');
const RUNTIMES = ['onnxruntime-node', 'onnxruntime-web'] as const;
const CHECK = 'import onnx, sys; onnx.checker.check_model(onnx.load(sys.argv[1]), full_check=True)';

/** Families with these; the other detectors stand on the first one alone. */
const OF_EVERY_FAMILY: readonly string[] = ['classify', 'upernet', 'semantic-fpn', 'retinanet'];

/** Of one output: its largest difference as a share of its largest value, of probabilities of 1, or how many labels differ. */
type Difference =
  { readonly relative: number; readonly of: number } | { readonly unequal: number; readonly of: number };

interface Case {
  readonly family: Family;
  readonly task: string;
}

export const onnx: Benchmark = async (options) => {
  build('tools/bench/tsconfig.lib.json');
  const runtimes = RUNTIMES.filter((name) => isInstalled(name));
  for (const name of RUNTIMES.filter((name) => !runtimes.includes(name))) {
    options.log(`onnx: without ${name}, which \`npm install --no-save ${name}\` installs`);
  }
  const columns = ['backbone', 'head', ...runtimes, ...(options.python === undefined ? [] : ['onnx.checker'])];
  console.log(`| ${columns.join(' | ')} |\n|${columns.map(() => '---|').join('')}`);
  for (const { family, task } of casesOf(options)) {
    console.log(`| ${[family, task, ...compare({ family, task }, runtimes, options)].join(' | ')} |`);
  }
  return [];
};

function casesOf({ case: wanted = '' }: BenchOptions): Case[] {
  const all = TASKS.flatMap(({ name }) =>
    (OF_EVERY_FAMILY.includes(name) ? FAMILIES : [FAMILIES[0]]).map((family) => ({ family, task: name })),
  );
  const cases = all.filter(({ family, task }) => `${task}/${family}`.startsWith(wanted));
  if (cases.length > 0) return cases;
  throw new UsageError(`onnx: expected the beginning of TASK/BACKBONE, such as retinanet/smt_tiny, received ${wanted}`);
}

/** A cell for each runtime, and one for the checker where there is one. */
function compare({ family, task }: Case, runtimes: readonly string[], { python }: BenchOptions): string[] {
  const folder = mkdtempSync(join(tmpdir(), 'onnx-'));
  try {
    execFileSync(process.execPath, [join(SCRIPTS, 'write.js'), family, task, folder], { stdio: ['ignore', 2, 2] });
    const cells = runtimes.map((name) => told(differencesOf(name, folder)));
    if (python === undefined) return cells;
    const checked = spawnSync(python, ['-c', CHECK, join(folder, 'model.onnx')], { stdio: ['ignore', 2, 2] });
    return [...cells, checked.status === 0 ? 'valid' : 'refused'];
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function differencesOf(runtime: string, folder: string): Record<string, Difference> {
  const output = execFileSync(process.execPath, [PEER, runtime, folder], {
    ...{ encoding: 'utf8', stdio: ['ignore', 'pipe', 2], maxBuffer: 2 ** 24 },
  });
  return JSON.parse(output.trim().split('\n').at(-1)!) as Record<string, Difference>;
}

/** Such as `3.1e-6` for the largest of all outputs, labels that differ, and objects that come in another order, if any. */
function told(differences: Readonly<Record<string, Difference>>): string {
  const all = Object.values(differences);
  const largest = Math.max(...all.map((each) => ('relative' in each ? each.relative : 0)));
  const unequal = Object.entries(differences).flatMap(([output, each]) =>
    'unequal' in each && each.unequal > 0
      ? [`${each.unequal} of ${each.of} ${output === 'order' ? 'in other places' : output}`]
      : [],
  );
  return [largest.toExponential(1), ...unequal].join(', ');
}

function isInstalled(name: string): boolean {
  try {
    createRequire(join(process.cwd(), 'package.json')).resolve(name);
    return true;
  } catch {
    return false; // it is optional
  }
}
