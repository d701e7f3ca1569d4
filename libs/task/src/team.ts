/** The processes that a command works with, where a launcher started several. */
import { UsageError } from '@pyramidal/config';
import { findPlace, joinWorkers, RESTARTS, type Workers } from '@pyramidal/distributed';
import type { Runtime } from '@pyramidal/runtime';

/** All processes of a command, as this one sees them; undefined for one that is alone. */
export type Team = Workers | undefined;

/** Waits for the other processes, if the environment names any. @throws WorkerError or UsageError in one line. */
export async function joinTeam({ engine }: Runtime): Promise<Team> {
  const place = findPlace();
  if (place === undefined) return undefined;
  const { index, count, source } = place;
  if (!engine.startsWith('tensorflow')) {
    throw new UsageError(
      `${source}: ${count} workers compute together with native TensorFlow alone, received the engine ${engine}`,
    );
  }
  const team = await joinWorkers(place);
  console.error(`worker ${index} of ${count} (${source})`);
  return team;
}

/** Works with a team: an error names the process that caused it, and nobody leaves before all are done. */
export async function workTogether<T>(team: Team, work: () => Promise<T>): Promise<T> {
  if (team === undefined) return work();
  try {
    const result = await work();
    await team.leave();
    return result;
  } catch (error) {
    throw await team.explain(error);
  }
}

/** Whether this process writes what all of them found. */
export const isFirst = (team: Team): boolean => team === undefined || team.index === 0;

/** Whether a launcher has started this command again, after a process of it failed. */
export const isRestarted = (): boolean => process.env[RESTARTS] !== undefined;
