import { createHash } from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import type { NativeEngine } from '../engines';
import { sourceDigest } from './compile-addon';
import { checkStamp, type FileStamp } from './file-stamp';

/** What `install` leaves behind for `openRuntime`: one JSON file per engine and per library given by path. */
export interface Installation {
  readonly engine: NativeEngine;
  /** Where the library came from, in plain words. */
  readonly origin: string;
  /** Folder of the TensorFlow shared objects. */
  readonly library: string;
  /** tfjs-node's native module. */
  readonly addon: string;
  /** TensorFlow's version. */
  readonly tensorflow: string;
  /** Digest of the addon's sources and flags. */
  readonly sources: string;
  readonly files: readonly FileStamp[];
}

/** @param library the path that the user gave, if any. */
export function recordFile(cache: string, engine: NativeEngine, library?: string): string {
  const suffix = library ? `-${createHash('sha256').update(resolve(library)).digest('hex').slice(0, 12)}` : '';
  return join(cache, `${engine}-${process.platform}-${process.arch}${suffix}.json`);
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

/** Says why an installation cannot be used, if so: a file gone or changed, or an addon made from other sources. */
export async function findFault(installation: Installation, depth: 'quick' | 'full'): Promise<string | undefined> {
  if (installation.sources !== sourceDigest()) return 'the addon was compiled from another version of its sources';
  for (const stamp of installation.files) {
    const fault = await checkStamp(stamp, depth);
    if (fault) return fault;
  }
  return undefined;
}
