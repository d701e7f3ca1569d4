/** `npm run bench -- NAME [--json FILE]`; `step` takes further options. */
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { runProgram } from '@pyramidal/program';
import { UsageError, type Benchmark, type BenchRow } from './benchmark';

/** Every benchmark by the name that `npm run bench -- NAME` takes; each is loaded when asked for. */
const BENCHMARKS = {
  step: async () => (await import('./step.js')).step,
  backbones: async () => (await import('./backbones.js')).backbones,
  cocoeval: async () => (await import('./cocoeval.js')).cocoeval,
  segeval: async () => (await import('./segeval.js')).segeval,
  loader: async () => (await import('./loader.js')).loader,
  detection: async () => (await import('./detection.js')).detection,
  distributed: async () => (await import('./distributed.js')).distributed,
  memory: async () => (await import('./memory.js')).memory,
  inference: async () => (await import('./inference.js')).inference,
  startup: async () => (await import('./startup.js')).startup,
  onnx: async () => (await import('./onnx.js')).onnx,
  tasks: async () => (await import('./tasks.js')).tasks,
  service: async () => (await import('./service.js')).service,
  inspector: async () => (await import('./inspector.js')).inspector,
} satisfies Record<string, () => Promise<Benchmark>>;

const USAGE =
  'NAME [--json FILE], of step, inference, startup, detection, tasks, onnx, service and cocoeval [--case CASE], of step, detection and tasks [--profile], and of step [--against CHECKOUT] [--first]';
/** Benchmarks whose cases have names. */
const WITH_CASES: readonly string[] = [
  'step',
  'inference',
  'startup',
  'detection',
  'tasks',
  'onnx',
  'service',
  'cocoeval',
];
/** Those that can show where the time goes. */
const WITH_PROFILES: readonly string[] = ['step', 'detection', 'tasks'];

async function main(argv: readonly string[]): Promise<number> {
  const { positionals, values } = parse(argv);
  const [name, ...rest] = positionals;
  const names = Object.keys(BENCHMARKS).join(', ');
  if (name === undefined || !isBenchmark(name)) {
    console.error(`bench: expected one of ${names}, received ${name ?? 'nothing'}`);
    return 2;
  }
  const { json, case: only, profile, ...ofStep } = values;
  const isRefused =
    (name !== 'step' && Object.keys(ofStep).length > 0) ||
    (only !== undefined && !WITH_CASES.includes(name)) ||
    (profile !== undefined && !WITH_PROFILES.includes(name));
  if (rest.length > 0 || isRefused) {
    console.error(`bench: expected ${USAGE}, received ${argv.join(' ')}`);
    return 2;
  }
  const benchmark = await BENCHMARKS[name]();
  const python = process.env['PYRAMIDAL_PYTHON'];
  if (python === undefined) console.error('bench: PYRAMIDAL_PYTHON names no Python, so peers are left out');
  const rows = await benchmark({
    python,
    ...ofStep,
    ...(only !== undefined && { case: only }),
    ...(profile !== undefined && { profile }),
    log: (line) => console.error(line),
  });
  if (rows.length > 0) console.log(table(rows));
  if (json !== undefined) writeFileSync(json, `${JSON.stringify(rows, null, 2)}\n`);
  return 0;
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        json: { type: 'string' },
        case: { type: 'string' },
        against: { type: 'string' },
        profile: { type: 'boolean' },
        first: { type: 'boolean' },
      },
    });
  } catch (error) {
    throw new UsageError(`expected ${USAGE}: ${(error as Error).message}`);
  }
}

function isBenchmark(name: string): name is keyof typeof BENCHMARKS {
  return Object.hasOwn(BENCHMARKS, name);
}

function table(rows: readonly BenchRow[]): string {
  const lines = rows.map(({ wallMs, cpuMs, peakMB, ratioToPeer, quartiles, ...row }) => {
    const spread = quartiles === undefined ? '' : ` (${quartiles.map((ratio) => ratio.toFixed(2)).join('-')})`;
    const ratio = ratioToPeer === null ? '' : `${ratioToPeer.toFixed(2)}${spread}`;
    const spent = Number.isNaN(cpuMs) ? '' : cpuMs.toFixed(1);
    const numbers = [wallMs.toFixed(1), spent, peakMB.toFixed(0), ratio];
    return `| ${[row.case, row.engine, row.mode, ...numbers].join(' | ')} |`;
  });
  return [
    '| case | engine | mode | wall ms | CPU ms | peak MB | ratio to peer |',
    '|---|---|---|---:|---:|---:|---:|',
    ...lines,
  ].join('\n');
}

runProgram('bench', main);
