/** `npm run bench -- NAME [--json FILE]`, or `npm run bench -- step --profile`. */
import { writeFileSync } from 'node:fs';
import { runProgram } from '@pyramidal/program';
import type { Benchmark, BenchRow } from './benchmark';

/** Every benchmark by the name that `npm run bench -- NAME` takes; each is loaded when asked for. */
const BENCHMARKS = {
  step: async () => (await import('./step.js')).step,
  backbones: async () => (await import('./backbones.js')).backbones,
  cocoeval: async () => (await import('./cocoeval.js')).cocoeval,
  segeval: async () => (await import('./segeval.js')).segeval,
  loader: async () => (await import('./loader.js')).loader,
  detection: async () => (await import('./detection.js')).detection,
  memory: async () => (await import('./memory.js')).memory,
  inference: async () => (await import('./inference.js')).inference,
} satisfies Record<string, () => Promise<Benchmark>>;

async function main(argv: readonly string[]): Promise<number> {
  const [name, flag, file, ...rest] = argv;
  const names = Object.keys(BENCHMARKS).join(', ');
  if (name === undefined || !isBenchmark(name)) {
    console.error(`bench: expected one of ${names}, received ${name ?? 'nothing'}`);
    return 2;
  }
  if (name === 'step' && flag === '--profile' && file === undefined) {
    await (
      await BENCHMARKS.step()
    )({ python: undefined, profile: true, log: (line) => console.error(line) });
    return 0;
  }
  if ((flag !== undefined && (flag !== '--json' || file === undefined)) || rest.length > 0) {
    console.error(`bench: expected NAME [--json FILE] or step --profile, received ${argv.join(' ')}`);
    return 2;
  }
  const benchmark = await BENCHMARKS[name]();
  const python = process.env['PYRAMIDAL_PYTHON'];
  if (python === undefined) console.error('bench: PYRAMIDAL_PYTHON names no Python, so peers are left out');
  const rows = await benchmark({ python, log: (line) => console.error(line) });
  console.log(table(rows));
  if (file !== undefined) writeFileSync(file, `${JSON.stringify(rows, null, 2)}\n`);
  return 0;
}

function isBenchmark(name: string): name is keyof typeof BENCHMARKS {
  return Object.hasOwn(BENCHMARKS, name);
}

function table(rows: readonly BenchRow[]): string {
  const lines = rows.map(({ wallMs, cpuMs, peakMB, ratioToPeer, quartiles, ...row }) => {
    const spread = quartiles === undefined ? '' : ` (${quartiles.map((ratio) => ratio.toFixed(2)).join('-')})`;
    const ratio = ratioToPeer === null ? '' : `${ratioToPeer.toFixed(2)}${spread}`;
    const numbers = [wallMs.toFixed(1), cpuMs.toFixed(1), peakMB.toFixed(0), ratio];
    return `| ${[row.case, row.engine, row.mode, ...numbers].join(' | ')} |`;
  });
  return [
    '| case | engine | mode | wall ms | CPU ms | peak MB | ratio to peer |',
    '|---|---|---|---:|---:|---:|---:|',
    ...lines,
  ].join('\n');
}

runProgram('bench', main);
