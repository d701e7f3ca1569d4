import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { RuntimeError } from '@pyramidal/kernels/engine';
import { checkStamp, type FileStamp, stampFile } from './file-stamp';
import { findLibrary } from './library';
import type { InstallProgress } from './progress';
import { unpackWheel } from './unpack-wheel';

const MANIFEST = 'manifest.json';

/** What an addon needs of wheels: the shared objects, and the C headers with what they include. */
export const isLibraryFile = (path: string): boolean =>
  /^tensorflow\/libtensorflow_(cc|framework)\.[^/]+$/.test(path) ||
  /^tensorflow\/include\/((tensorflow|xla\/tsl|tsl)\/(c|core\/platform|platform)|absl)\/.+\.(h|inc)$/.test(path) ||
  /^nvidia\/(.+\.so[.\d]*|cuda_nvcc\/(bin|nvvm)\/.+)$/.test(path);

/** The stored folder of that name, if it is there and whole. */
export async function findStored(cache: string, name: string): Promise<string | undefined> {
  const folder = join(cache, 'libraries', name);
  return (await findStoreFault(folder, 'quick')) ? undefined : folder;
}

/** Says what is wrong with a stored folder, if anything is. */
export async function findStoreFault(folder: string, depth: 'quick' | 'full'): Promise<string | undefined> {
  const manifest = await readFile(join(folder, MANIFEST), 'utf8').catch(() => undefined);
  if (!manifest) return `${folder} is gone`;
  for (const stamp of JSON.parse(manifest) as FileStamp[]) {
    const fault = await checkStamp({ ...stamp, path: join(folder, stamp.path) }, depth);
    if (fault) return fault;
  }
  return undefined;
}

/**
 * Makes a folder that appears under its name only when it is complete.
 * @param fill writes into the folder it is given; returns path inside it -> SHA-256, hexadecimal.
 */
export async function storeFolder(
  cache: string,
  name: string,
  fill: (draft: string) => Promise<ReadonlyMap<string, string>>,
): Promise<string> {
  const libraries = join(cache, 'libraries');
  await mkdir(libraries, { recursive: true });
  const draft = await mkdtemp(join(libraries, 'unpacking-'));
  try {
    const stamps: FileStamp[] = [];
    for (const [path, sha256] of await fill(draft)) {
      stamps.push({ ...(await stampFile(join(draft, path))), path, sha256 });
    }
    await writeFile(join(draft, MANIFEST), JSON.stringify(stamps));
    const folder = join(libraries, name);
    await rm(folder, { recursive: true, force: true });
    await rename(draft, folder);
    return folder;
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
}

/** Unpacks wheels side by side, as in site-packages, and returns the folder; the library is in the first. */
export const storeWheels = (
  cache: string,
  name: string,
  wheels: readonly [string, ...string[]],
  progress: InstallProgress,
): Promise<string> =>
  storeFolder(cache, name, async (draft) => {
    const digests = new Map<string, string>();
    for (const wheel of wheels) {
      progress.step(`Unpacking ${basename(wheel)}`);
      for (const [path, sha256] of await unpackWheel(wheel, draft, isLibraryFile, progress)) digests.set(path, sha256);
    }
    if (!findLibrary(draft)) throw new RuntimeError(`${basename(wheels[0])} holds no TensorFlow C library`);
    return digests;
  });
