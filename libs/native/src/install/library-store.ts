/** TensorFlow libraries in the cache, each whole or not there. */
import { basename, join } from 'node:path';
import { RuntimeError } from '@pyramidal/kernels/engine';
import { findLibrary } from './library';
import { findFolderFault, makeOwnFolder } from './own-folder';
import type { InstallProgress } from './progress';
import { unpackWheel } from './unpack-wheel';

/** Folders of the headers that the addons include, by way of others. */
const CORE = 'core/(framework|lib|platform|protobuf|public|util|common_runtime/next_pluggable_device/c)';
const HEADER_FOLDERS = `Eigen|unsupported|absl|google/protobuf|ml_dtypes|tsl|xla/tsl|tensorflow/(c|${CORE})`;
/** Eigen's headers have names without an ending. */
const HEADER = new RegExp(`^(${HEADER_FOLDERS})/(.+\\.(h|inc)|[^.]+)$`);

const INCLUDE = 'tensorflow/include/';

/** What the addons need of wheels: the shared objects, and headers. */
export const isLibraryFile = (path: string): boolean =>
  /^tensorflow\/libtensorflow_(cc|framework)\.[^/]+$/.test(path) ||
  (path.startsWith(INCLUDE) && HEADER.test(path.slice(INCLUDE.length))) ||
  /^nvidia\/(.+\.so[.\d]*|cuda_nvcc\/(bin|nvvm)\/.+)$/.test(path);

/** The stored folder of that name, if it is there and whole. */
export async function findStored(cache: string, name: string): Promise<string | undefined> {
  const folder = join(cache, 'libraries', name);
  return (await findFolderFault(folder, 'quick')) ? undefined : folder;
}

/** Makes a folder of the store; see `makeOwnFolder`. */
export const storeFolder = (
  cache: string,
  name: string,
  fill: (draft: string) => Promise<ReadonlyMap<string, string>>,
): Promise<string> => makeOwnFolder(join(cache, 'libraries'), name, fill);

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
