import { mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { basename, join, relative } from 'node:path';
import { RuntimeError } from '../runtime-error';
import { checkStamp, type FileStamp, stampFile } from './file-stamp';
import { findLibrary, type TensorFlowLibrary } from './library';
import type { InstallProgress } from './progress';
import { unpackWheel } from './unpack-wheel';

const MANIFEST = 'manifest.json';

/** What an addon needs of wheels: the shared objects, and the C headers with what they include. */
export const isLibraryFile = (path: string): boolean =>
  /^tensorflow\/libtensorflow_(cc|framework)\.[^/]+$/.test(path) ||
  /^tensorflow\/include\/((tensorflow|xla\/tsl|tsl)\/(c|core\/platform|platform)|absl)\/.+\.(h|inc)$/.test(path) ||
  /^nvidia\/.+\.so[.\d]*$/.test(path);

/** An unpacked library whose name begins so, if every file of it is as it was unpacked. */
export async function findStored(cache: string, prefix: string): Promise<TensorFlowLibrary | undefined> {
  const libraries = join(cache, 'libraries');
  const names = (await readdir(libraries).catch(() => [])).filter((name) => name.startsWith(prefix));
  for (const name of names.sort().reverse()) {
    const folder = join(libraries, name);
    if (await isWhole(folder)) return findLibrary(folder);
  }
  return undefined;
}

async function isWhole(folder: string): Promise<boolean> {
  const manifest = await readFile(join(folder, MANIFEST), 'utf8').catch(() => undefined);
  if (!manifest) return false;
  for (const stamp of JSON.parse(manifest) as FileStamp[]) {
    if (await checkStamp({ ...stamp, path: join(folder, stamp.path) }, 'quick')) return false;
  }
  return true;
}

/**
 * Unpacks wheels side by side, as in site-packages, into a folder named after the first. The folder appears under its
 * name only when it is complete.
 */
export async function storeWheels(
  cache: string,
  wheels: readonly [string, ...string[]],
  progress: InstallProgress,
): Promise<TensorFlowLibrary> {
  const libraries = join(cache, 'libraries');
  await mkdir(libraries, { recursive: true });
  const draft = await mkdtemp(join(libraries, 'unpacking-'));
  try {
    const stamps: FileStamp[] = [];
    for (const wheel of wheels) {
      progress.step(`Unpacking ${basename(wheel)}`);
      for (const [path, sha256] of await unpackWheel(wheel, draft, isLibraryFile, progress)) {
        stamps.push(relativeTo(draft, await stampFile(join(draft, path), sha256)));
      }
    }
    if (!findLibrary(draft)) throw new RuntimeError(`${basename(wheels[0])} holds no TensorFlow C library`);
    await writeFile(join(draft, MANIFEST), JSON.stringify(stamps));
    const folder = join(libraries, basename(wheels[0], '.whl'));
    await rm(folder, { recursive: true, force: true });
    await rename(draft, folder);
    return findLibrary(folder) as TensorFlowLibrary;
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
}

const relativeTo = (folder: string, stamp: FileStamp): FileStamp => ({ ...stamp, path: relative(folder, stamp.path) });
