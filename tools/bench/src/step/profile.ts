/**
 * Where the time of a compiled step goes: `profile.ts VARIANT BATCH CASE FILE` writes a timeline that browsers' trace
 * viewers open (chrome://tracing, ui.perfetto.dev) and prints the time by kinds of operations, stages and modules.
 */
import { writeFileSync } from 'node:fs';
import { operationOf, scopeOf, timeBy, timelineJson, traceSteps, type TraceEntry } from '@pyramidal/graph';
import { startCase } from './cases';

const SHOWN = 20;

type Naming = (entry: TraceEntry) => string;

/** `forward/stages.1.blocks.0.mlp` is `forward stages.1`; what belongs to no module is named by its phase. */
const stageOf: Naming = (entry) => {
  const [phase, module] = scopeParts(entry);
  return module === undefined ? phase : `${phase} ${/^[^.]*(\.\d+)?/.exec(module)![0]}`;
};

/** The same module of all stages and blocks: `forward stages.*.blocks.*.mlp`. */
const moduleOf: Naming = (entry) => {
  const [phase, module] = scopeParts(entry);
  return module === undefined ? phase : `${phase} ${module.replace(/\.\d+(?=\.|$)/g, '.*')}`;
};

/** The phase of a step, and the module where there is one. */
function scopeParts(entry: TraceEntry): [phase: string, module?: string] {
  const [phase = '', module] = scopeOf(entry).split('/');
  if (phase === 'variable' || entry.node.startsWith('variable/')) return ['variables'];
  if (phase === '') return ['no scope'];
  return module !== undefined && /^(forward|backward)$/.test(phase) ? [phase, module] : [phase];
}

function print(title: string, entries: readonly TraceEntry[], nameOf: Naming): void {
  const times = timeBy(entries, nameOf);
  const total = times.reduce((sum, { ms }) => sum + ms, 0);
  const line = (name: string, count: number, ms: number): string =>
    `${name.padEnd(72)} ${String(count).padStart(6)} ${ms.toFixed(1).padStart(9)} ms ${((100 * ms) / total).toFixed(1).padStart(5)} %`;
  console.log(`\n${title}`);
  for (const { group, count, ms } of times.slice(0, SHOWN)) console.log(line(group, count, ms));
  const others = times.slice(SHOWN);
  const sum = (of: 'count' | 'ms'): number => others.reduce((all, group) => all + group[of], 0);
  if (others.length > 0) console.log(line(`${others.length} others`, sum('count'), sum('ms')));
  console.log(line('all', entries.length, total));
}

async function main([variant, batch, task, file]: string[]): Promise<void> {
  const { run } = await startCase('compiled', variant as string, Number(batch), task as string, { named: true });
  // The first run records, and the first that is traced optimizes the graph once more.
  run(0);
  traceSteps(() => run(1));
  const entries = traceSteps(() => run(2));
  writeFileSync(file as string, timelineJson(entries));
  console.log(`\nGroupMixFormer ${variant}, batch ${batch}, ${task}`);
  print('by operation', entries, operationOf);
  print('by stage', entries, stageOf);
  print('by module', entries, moduleOf);
}

void main(process.argv.slice(2));
