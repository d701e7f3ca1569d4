/** Whether what a configuration names below its root is there, told in the configuration's words. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { isThere } from '@pyramidal/files';

/** What a data set reads, below its root. */
export interface Place {
  /** The keys that name it, such as `data.train`. */
  readonly keys: string;
  readonly path: string;
}

/** Entries of the root that are named. */
const NAMED = 8;

/** @throws Error naming the first place that is not there, the keys that say where it is, and what the root holds; FileError where that cannot be known. */
export function requirePlaces(root: string, places: readonly Place[]): void {
  if (!isThere(root)) throw new Error(`${root}: no such folder (data.root)`);
  const missing = places.find(({ path }) => !isThere(join(root, path)));
  if (missing === undefined) return;
  const held = readdirSync(root)
    .filter((name) => !name.startsWith('.'))
    .sort();
  const named = held.slice(0, NAMED).join(', ') + (held.length > NAMED ? ', ...' : '');
  throw new Error(
    `${join(root, missing.path)}: no such file or folder; ${missing.keys} says what is read below data.root, which holds ${named || 'nothing'}`,
  );
}
