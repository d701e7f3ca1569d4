/** Which worker of how many this process is, as the program that started it says in the environment. */
import { isPort, MOST_WORKERS } from './limits';
import { slurmPlace } from './slurm';
import { tfConfigPlace } from './tf-config';
import { WorkerError } from './worker-error';

export type Environment = Readonly<Record<string, string | undefined>>;

/** Where a process stands among those that train together. */
export interface Place {
  /** The variables that say so. */
  readonly source: string;
  /** Of this process, from 0; the first worker keeps the run's folder. */
  readonly index: number;
  readonly count: number;
  /** `host:port` of every worker; or where the first one takes down the others' addresses. */
  readonly at: { readonly addresses: readonly string[] } | { readonly master: Master };
}

export interface Master {
  readonly host: string;
  readonly port: number;
}

/** torchrun's. */
const DEFAULT_PORT = 29_400;

const READERS = [tfConfigPlace, slurmPlace, openMpiPlace, rankPlace];

/**
 * Looks for `TF_CONFIG`, a step of Slurm, Open MPI's and PyTorch's variables, in this order.
 * @returns undefined for a process that works alone.
 * @throws WorkerError if they disagree, or name a place that cannot be.
 */
export function findPlace(env: Environment = process.env): Place | undefined {
  const [first, ...others] = READERS.flatMap((read) => read(env) ?? []);
  if (first === undefined) return undefined;
  for (const other of others) {
    if (other.index === first.index && other.count === first.count) continue;
    throw new WorkerError(
      `this process is ${describe(first)}, and ${describe(other)}; expected one launcher: unset the variables of the other`,
      2,
    );
  }
  return first.count === 1 ? undefined : first;
}

const describe = ({ source, index, count }: Place): string => `worker ${index} of ${count} by ${source}`;

/** Open MPI's `mpirun`; its processes on several machines need MASTER_ADDR. */
function openMpiPlace(env: Environment): Place | undefined {
  const names = { index: 'OMPI_COMM_WORLD_RANK', count: 'OMPI_COMM_WORLD_SIZE' };
  const place = readNumbers(env, names);
  if (place === undefined) return undefined;
  const isOneMachine = env['OMPI_COMM_WORLD_LOCAL_SIZE'] === env['OMPI_COMM_WORLD_SIZE'];
  return { ...place, at: { master: readMaster(env, place, isOneMachine ? '127.0.0.1' : undefined) } };
}

/** The variables that PyTorch's launchers set. */
function rankPlace(env: Environment): Place | undefined {
  const place = readNumbers(env, { index: 'RANK', count: 'WORLD_SIZE' });
  return place && { ...place, at: { master: readMaster(env, place, undefined) } };
}

type Numbers = Omit<Place, 'at'>;

/** @throws WorkerError if one of the two is missing, or no number of a worker. */
export function readNumbers(
  env: Environment,
  names: { readonly index: string; readonly count: string },
): Numbers | undefined {
  const [index, count] = [env[names.index], env[names.count]];
  if (index === undefined && count === undefined) return undefined;
  const source = `${names.index} and ${names.count}`;
  const place = { source, index: wholeNumber(index), count: wholeNumber(count) };
  if (place.count > MOST_WORKERS) {
    throw new WorkerError(`${names.count}: expected at most ${MOST_WORKERS} workers, received ${count}`, 2);
  }
  if (place.index < place.count) return place;
  throw new WorkerError(
    `${source}: expected a worker and how many there are, received ${index ?? 'nothing'} and ${count ?? 'nothing'}`,
    2,
  );
}

/** NaN for everything else. */
const wholeNumber = (text: string | undefined): number => (/^\d+$/.test(text ?? '') ? Number(text) : NaN);

function readMaster(env: Environment, { source, count }: Numbers, known: string | undefined): Master {
  const host = env['MASTER_ADDR'] ?? known ?? (count === 1 ? '127.0.0.1' : undefined);
  if (host === undefined) {
    throw new WorkerError(`${source} name ${count} workers; expected MASTER_ADDR, the host of the first one`, 2);
  }
  const text = env['MASTER_PORT'] ?? String(DEFAULT_PORT);
  const port = wholeNumber(text);
  if (isPort(port)) return { host, port };
  throw new WorkerError(`MASTER_PORT: expected a port from 1 to 65535, received '${text}'`, 2);
}
