/** Whether what a configuration names below its root is there, told in the configuration's words. */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

/** What a data set reads, below its root. */
export interface Place {
  /** The keys that name it, such as `data.train`. */
  readonly keys: string;
  readonly path: string;
}

/** Entries of the root that are named. */
const NAMED = 8;

/** @throws Error naming the first place that is not there, the keys that say where it is, and what the root holds. */
export function requirePlaces(root: string, places: readonly Place[]): void {
  if (!existsSync(root)) throw new Error(`${root}: no such folder (data.root)`);
  const missing = places.find(({ path }) => !existsSync(join(root, path)));
  if (missing === undefined) return;
  const held = readdirSync(root)
    .filter((name) => !name.startsWith('.'))
    .sort();
  const named = held.slice(0, NAMED).join(', ') + (held.length > NAMED ? ', ...' : '');
  throw new Error(
    `${join(root, missing.path)}: no such file or folder; ${missing.keys} says what is read below data.root, which holds ${named || 'nothing'}`,
  );
}
