/** What is installed, as records in the cache. */
import { createHash } from 'node:crypto';
import { dirname, join, resolve, sep } from 'node:path';
import { isThere, makeFolder, readJson, readText, type Schema, writeJson } from '@pyramidal/files';
import type { NativeEngine } from '../native-engine';
import { sourceDigest } from './compile-addon';
import { removeDownloads } from './downloads-folder';
import { checkStamp, type FileStamp } from './file-stamp';
import { findFolderFault, namesIn, removeDrafts, removeOwnFolder } from './own-folder';

/** What `install` leaves behind for `openRuntime`: one JSON file per engine and per library given by path. */
export interface Installation {
  readonly engine: NativeEngine;
  /** Where the library came from, in plain words. */
  readonly origin: string;
  /** Folder of the TensorFlow shared objects. */
  readonly library: string;
  /** The folder in our store that the library lies in; absent for a library that is not ours. */
  readonly stored?: string;
  /** tfjs-node's native module. */
  readonly addon: string;
  /** Why there is no addon for graphs beside it, so that steps run operation by operation; absent where there is one. */
  readonly withoutGraphs?: string;
  /** TensorFlow's version. */
  readonly tensorflow: string;
  /** The addons and the shared objects that it is linked with. */
  readonly files: readonly FileStamp[];
}

/**
 * Versions of this package whose addon differs have records of their own and leave each other's alone.
 * @param library the path that the user gave, if any.
 */
export function recordFile(cache: string, engine: NativeEngine, library?: string): string {
  const identity = createHash('sha256').update(sourceDigest());
  if (library) identity.update(resolve(library));
  return join(
    cache,
    'installed',
    `${engine}-${process.platform}-${process.arch}-${identity.digest('hex').slice(0, 16)}.json`,
  );
}

/**
 * The recorded installation, or undefined when there is none.
 * @throws FileError if there is a record that cannot be read.
 */
export function readInstallation(cache: string, engine: NativeEngine, library?: string): Installation | undefined {
  const file = recordFile(cache, engine, library);
  return isThere(file) ? readJson(file, INSTALLATION) : undefined;
}

export function writeInstallation(cache: string, installation: Installation, library?: string): void {
  const file = recordFile(cache, installation.engine, library);
  makeFolder(dirname(file));
  writeJson(file, installation);
}

const INSTALLATION: Schema<Installation> = {
  safeParse: (value) => {
    const record = (value ?? {}) as Partial<Record<keyof Installation, unknown>>;
    const field = (['engine', 'origin', 'library', 'addon', 'tensorflow'] as const).find(
      (name) => typeof record[name] !== 'string',
    );
    if (field === undefined && Array.isArray(record.files)) return { success: true, data: value as Installation };
    const issue = { path: [field ?? 'files'], message: `expected ${field ? 'text' : 'a list'} as install writes it` };
    return { success: false, error: { issues: [issue] } };
  },
};

/** Says why an installation cannot be used, if so: a file gone or changed. */
export async function findFault(installation: Installation, depth: 'quick' | 'full'): Promise<string | undefined> {
  for (const stamp of installation.files) {
    const fault = await checkStamp(stamp, depth);
    if (fault) return fault;
  }
  return depth === 'full' && installation.stored ? findFolderFault(installation.stored, 'full') : undefined;
}

/**
 * Removes libraries and addons of ours that no record speaks of, what was left half done, and finished downloads; only
 * while holding the lock. Whatever else lies in the cache stays.
 */
export async function prune(cache: string): Promise<void> {
  const records = join(cache, 'installed');
  const used = namesIn(records).map((name) => readText(join(records, name)));
  for (const kind of ['libraries', 'addons']) {
    await removeDrafts(join(cache, kind));
    for (const name of namesIn(join(cache, kind))) {
      const folder = join(cache, kind, name);
      const mentioned = used.some((record) => record.includes(JSON.stringify(folder + sep).slice(1, -1)));
      if (!mentioned) await removeOwnFolder(folder);
    }
  }
  await removeDownloads(cache);
}
