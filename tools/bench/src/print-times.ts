/** Prints where the time of a traced step went, by whatever names its operations. */
import { scopeOf, timeBy, type TraceEntry } from '@pyramidal/graph';

const SHOWN = 20;

export type Naming = (entry: TraceEntry) => string;

/** The same module of all stages and blocks: `forward stages.*.blocks.*.mlp`. */
export const moduleOf: Naming = (entry) => {
  const [phase, module] = scopeParts(entry);
  return module === undefined ? phase : `${phase} ${module.replace(/\.\d+(?=\.|$)/g, '.*')}`;
};

/** The phase of a step, and the module where there is one. */
export function scopeParts(entry: TraceEntry): [phase: string, module?: string] {
  const [phase = '', module] = scopeOf(entry).split('/');
  if (phase === 'variable' || entry.node.startsWith('variable/')) return ['variables'];
  if (phase === '') return ['no scope'];
  return module !== undefined && /^(forward|backward)$/.test(phase) ? [phase, module] : [phase];
}

/** The longest groups, a line each. */
export function printTimes(title: string, entries: readonly TraceEntry[], nameOf: Naming): void {
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
