/** A step of Slurm: the processes of one `srun`. */
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
  const all = hosts.flatMap((host, node) =>
    Array.from({ length: tasks[node]! }, (_, i) => ({ host, node, port: first + i })),
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

/** `node[01-03,7],gpu1` as node01, node02, node03, node7, gpu1. */
export function expandHosts(list: string): string[] {
  const names = list.match(/[^,[\]]+(\[[^\]]*\])?[^,[\]]*/g) ?? [];
  return names.flatMap((name) => {
    const [, before = '', ranges, after = ''] = /^([^[]*)\[([^\]]*)\](.*)$/.exec(name) ?? [];
    if (ranges === undefined) return [name];
    return ranges.split(',').flatMap((range) => numbersOf(range).map((number) => `${before}${number}${after}`));
  });
}

/** `01-03` as 01, 02, 03. */
function numbersOf(range: string): string[] {
  const [from = '', to = from] = range.split('-');
  const length = Number(to) - Number(from) + 1;
  return Array.from({ length }, (_, i) => String(Number(from) + i).padStart(from.length, '0'));
}

/** `2(x3),1` as 2, 2, 2, 1. */
export function expandTasks(list: string): number[] {
  return list.split(',').flatMap((part) => {
    const [, tasks, times = '1'] = /^(\d+)(?:\(x(\d+)\))?$/.exec(part.trim()) ?? [];
    return tasks === undefined ? [] : Array.from({ length: Number(times) }, () => Number(tasks));
  });
}
