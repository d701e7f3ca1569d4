/** A step of Slurm: the processes of one `srun`. */
import { MOST_WORKERS } from './limits';
import { type Environment, type Place, readNumbers } from './place';
import { WorkerError } from './worker-error';

/** Ports of jobs lie apart; those from 32768 on are handed out by the system. */
const PORTS = { first: 10_000, ofJob: 16, jobs: 1_400 };

/** Inside of a job, but outside of `srun`, a process works alone. */
export function slurmPlace(env: Environment): Place | undefined {
  if (env['SLURM_STEP_NUM_TASKS'] === undefined) return undefined;
  const numbers = readNumbers(env, { index: 'SLURM_PROCID', count: 'SLURM_STEP_NUM_TASKS' });
  if (numbers === undefined) return undefined;
  const hosts = expandHosts(env['SLURM_STEP_NODELIST'] ?? env['SLURM_JOB_NODELIST'] ?? '');
  const tasks = expandTasks(env['SLURM_STEP_TASKS_PER_NODE'] ?? '');
  if (hosts.length === 0 || tasks.length !== hosts.length) {
    throw new WorkerError(
      `SLURM_STEP_TASKS_PER_NODE: expected the tasks of ${hosts.length} nodes, received '${env['SLURM_STEP_TASKS_PER_NODE'] ?? ''}'`,
      2,
    );
  }
  const first = PORTS.first + PORTS.ofJob * (Number(env['SLURM_JOB_ID'] ?? 0) % PORTS.jobs);
  const sum = tasks.reduce((total, own) => total + own, 0);
  const all = hosts.flatMap((host, node) =>
    Array.from({ length: sum === numbers.count ? tasks[node]! : 0 }, (_, i) => ({ host, node, port: first + i })),
  );
  const own = all[numbers.index];
  const node = env['SLURM_NODEID'];
  if (all.length !== numbers.count || (node !== undefined && String(own?.node) !== node)) {
    throw new WorkerError(
      `SLURM_PROCID ${numbers.index}: expected tasks one node after the other; srun --distribution=block places them so`,
      2,
    );
  }
  return { ...numbers, at: { addresses: all.map(({ host, port }) => `${host}:${port}`) } };
}

/** `node[01-03,7],gpu1` as node01, node02, node03, node7, gpu1; none where it names more than there can be. */
export function expandHosts(list: string): string[] {
  const names = list.match(/[^,[\]]+(\[[^\]]*\])?[^,[\]]*/g) ?? [];
  const runs = names.flatMap((name) => {
    const [, before = '', ranges, after = ''] = /^([^[]*)\[([^\]]*)\](.*)$/.exec(name) ?? [];
    if (ranges === undefined) return [{ length: 1, at: () => name }];
    return ranges.split(',').map((range) => {
      const [from = '', to = from] = range.split('-');
      const number = (i: number): string => String(Number(from) + i).padStart(from.length, '0');
      return { length: Number(to) - Number(from) + 1, at: (i: number) => `${before}${number(i)}${after}` };
    });
  });
  return expand(runs);
}

/** `2(x3),1` as 2, 2, 2, 1; none where it names more than there can be. */
export function expandTasks(list: string): number[] {
  const runs = list.split(',').flatMap((part) => {
    const [, tasks, times = '1'] = /^(\d+)(?:\(x(\d+)\))?$/.exec(part.trim()) ?? [];
    return tasks === undefined ? [] : [{ length: Number(times), at: () => Number(tasks) }];
  });
  return expand(runs);
}

/** The values of runs of so many each. */
function expand<T>(runs: readonly { readonly length: number; at(i: number): T }[]): T[] {
  const total = runs.reduce((sum, { length }) => sum + length, 0);
  if (!(total <= MOST_WORKERS && runs.every(({ length }) => length >= 0))) return [];
  return runs.flatMap(({ length, at }) => Array.from({ length }, (_, i) => at(i)));
}
