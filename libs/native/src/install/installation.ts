import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join, resolve, sep } from 'node:path';
import type { NativeEngine } from '../native-engine';
import { sourceDigest } from './compile-addon';
import { checkStamp, type FileStamp } from './file-stamp';
import { findStoreFault } from './library-store';

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
  /** TensorFlow's version. */
  readonly tensorflow: string;
  /** The addon and the shared objects that it is linked with. */
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

/** The recorded installation, or undefined when there is none or its record is unreadable. */
export async function readInstallation(
  cache: string,
  engine: NativeEngine,
  library?: string,
): Promise<Installation | undefined> {
  try {
    return JSON.parse(await readFile(recordFile(cache, engine, library), 'utf8')) as Installation;
  } catch {
    return undefined;
  }
}

export async function writeInstallation(cache: string, installation: Installation, library?: string): Promise<void> {
  const file = recordFile(cache, installation.engine, library);
  await mkdir(dirname(file), { recursive: true });
  const draft = `${file}.${process.pid}`;
  await writeFile(draft, JSON.stringify(installation, null, 2));
  await rename(draft, file);
}

/** Says why an installation cannot be used, if so: a file gone or changed. */
export async function findFault(installation: Installation, depth: 'quick' | 'full'): Promise<string | undefined> {
  for (const stamp of installation.files) {
    const fault = await checkStamp(stamp, depth);
    if (fault) return fault;
  }
  return depth === 'full' && installation.stored ? findStoreFault(installation.stored, 'full') : undefined;
}

/** Removes libraries and addons that no record speaks of, and finished downloads; only while holding the lock. */
export async function prune(cache: string): Promise<void> {
  const records = join(cache, 'installed');
  const used: string[] = [];
  for (const name of await readdir(records)) used.push(await readFile(join(records, name), 'utf8'));
  for (const kind of ['libraries', 'addons']) {
    for (const name of await readdir(join(cache, kind)).catch(() => [])) {
      const folder = join(cache, kind, name);
      const mentioned = used.some((record) => record.includes(JSON.stringify(folder + sep).slice(1, -1)));
      if (!mentioned) await rm(folder, { recursive: true, force: true });
    }
  }
  await rm(join(cache, 'downloads'), { recursive: true, force: true });
}
