/** When the operations of compiled steps ran. */
import type { TraceEntry } from '@pyramidal/kernels/engine';

export type { TraceEntry } from '@pyramidal/kernels/engine';

let traced: TraceEntry[] | null = null;

/**
 * Runs `work` and tells when each operation of the compiled steps in it ran. A step's first traced run optimizes its graph
 * once more, so run it once before.
 */
export function traceSteps(work: () => void): TraceEntry[] {
  const before = traced;
  const entries: TraceEntry[] = (traced = []);
  try {
    work();
  } finally {
    traced = before;
  }
  return entries;
}

/** Where sessions put what they trace; null where nobody asks. */
export const activeTrace = (): TraceEntry[] | null => traced;

/** The operation of an entry, such as `Conv2D`. */
export function operationOf({ label, node }: TraceEntry): string {
  return /= (\w+)\(/.exec(label)?.[1] ?? node;
}

/** The scope that an operation was recorded in, such as `forward/stem.conv`; empty where it was in none. */
export function scopeOf({ node }: TraceEntry): string {
  // What TensorFlow's optimizer makes of a node has names before it.
  return /(?:^|[/_])step\/(?:(.*)\/)?[^/]+$/.exec(node)?.[1] ?? '';
}

/** How long a group of operations took. */
export interface GroupTime {
  readonly group: string;
  readonly count: number;
  readonly ms: number;
}

/** How long the operations of each group took, longest first; those that run side by side are summed. */
export function timeBy(entries: readonly TraceEntry[], groupOf: (entry: TraceEntry) => string): GroupTime[] {
  const times = new Map<string, { count: number; ms: number }>();
  for (const entry of entries) {
    const group = groupOf(entry);
    const { count, ms } = times.get(group) ?? { count: 0, ms: 0 };
    times.set(group, { count: count + 1, ms: ms + entry.duration / 1000 });
  }
  return [...times].map(([group, time]) => ({ group, ...time })).sort((a, b) => b.ms - a.ms);
}

/** The entries in the form that browsers' trace viewers open (chrome://tracing, ui.perfetto.dev). */
export function timelineJson(entries: readonly TraceEntry[]): string {
  const start = entries.reduce((least, entry) => Math.min(least, entry.start), Infinity);
  const devices = [...new Set(entries.map(({ device }) => device))];
  const names = devices.map((name, pid) => ({ name: 'process_name', ph: 'M', pid, args: { name } }));
  const events = entries.map((entry) => ({
    name: operationOf(entry),
    cat: 'operation',
    ph: 'X',
    ts: entry.start - start,
    dur: entry.duration,
    pid: devices.indexOf(entry.device),
    tid: entry.thread,
    args: { node: entry.node, scope: scopeOf(entry) },
  }));
  return JSON.stringify({ displayTimeUnit: 'ms', traceEvents: [...names, ...events] });
}
