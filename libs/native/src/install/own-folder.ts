/**
 * Folders of the cache that this package makes. A finished one holds the list of its files, one in the making a marker
 * with its own name; nothing that neither names is ever deleted.
 */
import { readdirSync, rmdirSync } from 'node:fs';
import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join, relative, sep } from 'node:path';
import { FileError, isSystemError, isThere, makeFolder, readJson, readText, type Schema } from '@pyramidal/files';
import { RuntimeError } from '@pyramidal/kernels/engine';
import { checkStamp, type FileStamp, stampFile } from './file-stamp';

const MANIFEST = 'manifest.json';
const MARKER = '.pyramidal-draft';

/** Names that stay inside the folder they are joined to, and are no hidden files. */
const NAME = /^[A-Za-z0-9_][\w.+-]*$/;

/**
 * Makes `parent/name`, which appears under its name only when it is complete. One of that name that this package made
 * is replaced.
 * @param fill writes into the folder it is given; returns path inside it -> SHA-256, hexadecimal.
 * @returns the folder's path.
 * @throws RuntimeError if the name leads elsewhere, or a folder that is not ours has it.
 */
export async function makeOwnFolder(
  parent: string,
  name: string,
  fill: (draft: string) => Promise<ReadonlyMap<string, string>>,
): Promise<string> {
  if (!NAME.test(name))
    throw new RuntimeError(`expected a file name of letters, digits, dots and -, received '${name}'`);
  const draft = await makeDraft(parent);
  try {
    const digests = new Map(await fill(draft));
    digests.delete(MARKER);
    const stamps: FileStamp[] = [];
    for (const [path, sha256] of digests) stamps.push({ ...(await stampFile(join(draft, path))), path, sha256 });
    await writeFile(join(draft, MANIFEST), JSON.stringify(stamps));
    const folder = join(parent, name);
    if (isThere(folder)) await removeOwnFolder(folder);
    if (isThere(folder)) {
      throw new RuntimeError(`${folder} holds files that this package did not put there; move them away`);
    }
    await rm(join(draft, MARKER));
    await rename(draft, folder);
    return folder;
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
}

/** A new folder in `parent` which `removeDrafts` clears away where its process does not. */
export async function makeDraft(parent: string): Promise<string> {
  makeFolder(parent);
  const draft = await mkdtemp(join(parent, 'draft-'));
  await writeFile(join(draft, MARKER), basename(draft));
  return draft;
}

/** Removes what killed processes left half done; only while no other process works in `parent`. */
export async function removeDrafts(parent: string): Promise<void> {
  for (const name of namesIn(parent)) {
    const folder = join(parent, name);
    if (textOrNone(join(folder, MARKER)) === name) await rm(folder, { recursive: true });
  }
}

/** Whether the folder is one that this package finished. */
export const isOwnFolder = (folder: string): boolean => isThere(join(folder, MANIFEST));

/** Removes the files that the folder's list names, and the folders that are empty without them. */
export async function removeOwnFolder(folder: string): Promise<void> {
  if (!isOwnFolder(folder)) return;
  const stamps = readJson(join(folder, MANIFEST), STAMPS);
  for (const { path } of stamps) await rm(join(folder, path), { force: true });
  await rm(join(folder, MANIFEST));
  const inside = stamps.flatMap(({ path }) => parentsOf(path)).sort((a, b) => b.length - a.length);
  for (const path of [...new Set(inside), '']) removeIfEmpty(join(folder, path));
}

/** Says what is wrong with a finished folder, if anything is. */
export async function findFolderFault(folder: string, depth: 'quick' | 'full'): Promise<string | undefined> {
  if (!isOwnFolder(folder)) return `${folder} is gone`;
  for (const stamp of readJson(join(folder, MANIFEST), STAMPS)) {
    const fault = await checkStamp({ ...stamp, path: join(folder, stamp.path) }, depth);
    if (fault) return fault;
  }
  return undefined;
}

/** The names in a folder, none where it does not exist. */
export function namesIn(folder: string): string[] {
  return isThere(folder) ? readdirSync(folder) : [];
}

const STAMPS: Schema<readonly FileStamp[]> = {
  safeParse: (value) =>
    Array.isArray(value) && value.every(isStamp)
      ? { success: true, data: value }
      : { success: false, error: { issues: [{ path: [], message: 'expected a list of files with paths inside' }] } },
};

function isStamp(value: unknown): value is FileStamp {
  const { path, bytes, mtimeMs } = (value ?? {}) as Partial<FileStamp>;
  return typeof path === 'string' && isInside(path) && typeof bytes === 'number' && typeof mtimeMs === 'number';
}

const isInside = (path: string): boolean =>
  path !== '' &&
  !path.startsWith('/') &&
  !path.split(/[\\/]/).includes('..') &&
  relative('/x', join('/x', path)) !== '';

function parentsOf(path: string): string[] {
  const parent = dirname(path.split('/').join(sep));
  return parent === '.' ? [] : [parent, ...parentsOf(parent)];
}

/** A folder that still holds something is somebody's. */
function removeIfEmpty(folder: string): void {
  try {
    rmdirSync(folder);
  } catch (error) {
    if (!isSystemError(error) || !['ENOTEMPTY', 'EEXIST', 'ENOENT'].includes(error.code ?? '')) throw error;
  }
}

/** No marker, or none that can be read, is none of ours. */
function textOrNone(path: string): string | undefined {
  try {
    return readText(path);
  } catch (error) {
    if (error instanceof FileError) return undefined;
    throw error;
  }
}
