/** `TF_CONFIG`, as Kubeflow's TFJob writes it and TensorFlow's MultiWorkerMirroredStrategy reads it. */
import { z } from 'zod';
import { isPort, MOST_WORKERS } from './limits';
import type { Environment, Place } from './place';
import { WorkerError } from './worker-error';

/** What a URL may hold between its slashes. */
const HOST_AND_PORT = /^[^\s/?#@\\\p{Cc}]+:(\d{1,5})$/u;

const address = z.string().refine((text) => isPort(Number(HOST_AND_PORT.exec(text)?.[1])), 'expected host:port');
const addresses = z.array(address).max(MOST_WORKERS).default([]);

/** Kubeflow writes it as text. */
const index = z.union([z.number(), z.string().regex(/^\d+$/).transform(Number)], 'expected a whole number');

const schema = z.object({
  cluster: z.object({ chief: addresses, master: addresses, worker: addresses }),
  task: z.object({ type: z.string().toLowerCase(), index: index.pipe(z.int().min(0)) }),
});

/** A chief, or a master, comes before the workers; parameter servers and evaluators take no part. */
export function tfConfigPlace(env: Environment): Place | undefined {
  const text = env['TF_CONFIG'];
  if (text === undefined || text.trim() === '') return undefined;
  const { cluster, task } = parse(text);
  const kinds = { chief: cluster.chief, master: cluster.master, worker: cluster.worker };
  const all = Object.values(kinds).flat();
  if (all.length === 0) throw new WorkerError('TF_CONFIG: expected workers in its cluster, received none', 2);
  const twice = new Set(all).size < all.length ? all.find((one, i) => all.indexOf(one) !== i) : undefined;
  if (twice !== undefined)
    throw new WorkerError(`TF_CONFIG: expected an address for each worker, received ${twice} twice`, 2);
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
