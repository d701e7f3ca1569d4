/** `TF_CONFIG`, as Kubeflow's TFJob writes it and TensorFlow's MultiWorkerMirroredStrategy reads it. */
import { z } from 'zod';
import type { Environment, Place } from './place';
import { WorkerError } from './worker-error';

const addresses = z.array(z.string().regex(/^.+:\d+$/, 'expected host:port')).default([]);

const schema = z.object({
  cluster: z.object({ chief: addresses, master: addresses, worker: addresses }),
  task: z.object({ type: z.string().toLowerCase(), index: z.coerce.number().int().min(0) }),
});

/** A chief, or a master, comes before the workers; parameter servers and evaluators take no part. */
export function tfConfigPlace(env: Environment): Place | undefined {
  const text = env['TF_CONFIG'];
  if (text === undefined || text.trim() === '') return undefined;
  const { cluster, task } = parse(text);
  const kinds = { chief: cluster.chief, master: cluster.master, worker: cluster.worker };
  const all = Object.values(kinds).flat();
  if (all.length === 0) throw new WorkerError('TF_CONFIG: expected workers in its cluster, received none', 2);
  const before = { chief: 0, master: cluster.chief.length, worker: cluster.chief.length + cluster.master.length };
  if (!isKind(task.type)) {
    throw new WorkerError(
      `TF_CONFIG: expected a task of type chief, master or worker, received '${task.type}': every process trains, and the ` +
        'workers evaluate together',
      2,
    );
  }
  const index = before[task.type] + task.index;
  if (task.index >= kinds[task.type].length) {
    const known = kinds[task.type].length;
    throw new WorkerError(`TF_CONFIG: task ${task.type} ${task.index} is not among the ${known} of its cluster`, 2);
  }
  return { source: 'TF_CONFIG', index, count: all.length, at: { addresses: all } };
}

const isKind = (type: string): type is 'chief' | 'master' | 'worker' => ['chief', 'master', 'worker'].includes(type);

function parse(text: string): z.output<typeof schema> {
  try {
    return schema.parse(JSON.parse(text));
  } catch (error) {
    const reason =
      error instanceof z.ZodError
        ? error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('; ')
        : (error as Error).message;
    throw new WorkerError(`TF_CONFIG: ${reason}`, 2);
  }
}

/** What a launcher on one machine writes for one of its workers. */
export const writeTfConfig = (workers: readonly string[], index: number): string =>
  JSON.stringify({ cluster: { worker: workers }, task: { type: 'worker', index } });
