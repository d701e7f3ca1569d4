/** Installs native TensorFlow into the cache folder. */
import { createHash } from 'node:crypto';
import { statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { FileError, type Holder, makeFolder, withLock } from '@pyramidal/files';
import type { NativeEngine } from '../native-engine';
import { RuntimeError } from '@pyramidal/kernels/engine';
import { cacheFolder } from './cache-folder';
import {
  compileAddon,
  compilerAdvice,
  compileSessions,
  findCompiler,
  SESSION_ADDON,
  sourceDigest,
} from './compile-addon';
import { type FileStamp, sha256Of, stampFile } from './file-stamp';
import { findFault, type Installation, prune, readInstallation, writeInstallation } from './installation';
import type { TensorFlowLibrary } from './library';
import { fromPath, fromPython } from './local-routes';
import { fromPrebuilt } from './prebuilt-route';
import { makeOwnFolder, namesIn } from './own-folder';
import { probeAddon } from './probe';
import { type InstallProgress, SILENT } from './progress';
import type { FoundLibrary, RouteContext } from './route';
import { fromWheel, TENSORFLOW_VERSION } from './wheel-route';

export interface InstallOptions {
  /** `tensorflow` by default. */
  readonly engine?: NativeEngine;
  /**
   * A wheel file, a folder with libtensorflow, or `site-packages/tensorflow`; from then on the one that is opened when
   * no other is named. `PYRAMIDAL_TENSORFLOW` by default, which holds for itself alone.
   */
  readonly library?: string;
  /** Version of the wheel to download, e.g. `2.21.0`. */
  readonly tensorflow?: string;
  /** Installs again even where a sound installation is found. */
  readonly force?: boolean;
  readonly progress?: InstallProgress;
  readonly env?: NodeJS.ProcessEnv;
}

export interface InstallOutcome {
  readonly installation: Installation;
  /** True when it was there already and nothing was done. */
  readonly already: boolean;
}

/**
 * Installs the native engine into the cache folder: finds or downloads a TensorFlow library, compiles the addon against
 * it and runs two kernels in a process of its own. Does nothing where a sound installation is found; processes that
 * install at the same time wait for each other.
 * @throws RuntimeError saying in one line what is missing and what to install.
 */
export async function installNative(options: InstallOptions = {}): Promise<InstallOutcome> {
  const { engine = 'tensorflow', env = process.env, progress = SILENT, force = false } = options;
  const path = options.library ?? env.PYRAMIDAL_TENSORFLOW;
  const cache = cacheFolder(env);
  const findExisting = async (): Promise<InstallOutcome | undefined> => {
    const installation = force ? undefined : readOrReplace(cache, engine, path, progress);
    if (!installation || (await findFault(installation, 'quick'))) return undefined;
    return { installation, already: true };
  };
  const install = async (): Promise<InstallOutcome> => {
    const meanwhile = await findExisting();
    if (meanwhile) return meanwhile;
    const context = { engine, cache, env, progress, tensorflow: options.tensorflow ?? TENSORFLOW_VERSION };
    const installation = await installByRoute(context, path);
    writeInstallation(cache, installation, path);
    await prune(cache);
    return { installation, already: false };
  };
  const onWait = ({ pid }: Holder) => progress.step(`Waiting for another installation (process ${pid}) to end`);
  try {
    const outcome = (await findExisting()) ?? (await locked(cache, install, onWait));
    if (options.library) writeInstallation(cache, outcome.installation);
    return outcome;
  } catch (error) {
    throw explained(error, cache, engine);
  }
}

/** A record that cannot be read is replaced by that of a new installation. */
function readOrReplace(
  cache: string,
  engine: NativeEngine,
  path: string | undefined,
  progress: InstallProgress,
): Installation | undefined {
  try {
    return readInstallation(cache, engine, path);
  } catch (error) {
    if (!(error instanceof FileError)) throw error;
    progress.step(`${error.message}; installing again`);
    return undefined;
  }
}

async function locked<T>(cache: string, work: () => Promise<T>, onWait: (holder: Holder) => void): Promise<T> {
  makeFolder(cache);
  return withLock(join(cache, 'install.lock'), work, onWait);
}

/** A path is taken or refused; otherwise the routes are tried in order, and all their reasons are told together. */
async function installByRoute(context: RouteContext, path: string | undefined): Promise<Installation> {
  const compiler = await findCompiler(context.env);
  if (path && !compiler) throw new RuntimeError(compilerAdvice());
  if (path) return makeReady(await fromPath(path, context), context);
  const routes = compiler ? [fromPython, fromWheel, fromPrebuilt] : [fromPrebuilt];
  const reasons = compiler ? [] : [compilerAdvice()];
  for (const route of routes) {
    try {
      const found = await route(context);
      if (found) return await makeReady(found, context);
    } catch (error) {
      if (!(error instanceof RuntimeError)) throw error;
      reasons.push(error.message);
    }
  }
  throw new RuntimeError(reasons.join('; '));
}

async function makeReady(found: FoundLibrary, context: RouteContext): Promise<Installation> {
  const { library, stored, origin } = found;
  const { addon, withoutGraphs } = found.addon
    ? { addon: found.addon, withoutGraphs: 'the official download has no C++ interface' }
    : await compileInto(library, context);
  context.progress.step('Checking that it computes');
  const { version } = await probeAddon(addon, context.env);
  const sessions = join(dirname(addon), SESSION_ADDON);
  const files: FileStamp[] = [];
  for (const file of withoutGraphs === undefined ? [addon, sessions] : [addon]) {
    files.push({ ...(await stampFile(file)), sha256: await sha256Of(file) });
  }
  for (const name of library.objects) files.push(await stampFile(join(library.folder, name)));
  const { engine } = context;
  return { engine, origin, library: library.folder, stored, addon, withoutGraphs, tensorflow: version, files };
}

/** Compiles in a folder that appears under its name only when it is complete. */
async function compileInto(
  library: TensorFlowLibrary,
  { cache, env, progress }: RouteContext,
): Promise<Pick<Installation, 'addon' | 'withoutGraphs'>> {
  let addon = '';
  let withoutGraphs: string | undefined;
  const folder = await makeOwnFolder(join(cache, 'addons'), addonKey(library), async (draft) => {
    progress.step('Compiling the addons');
    const sessions = compileSessions(library, draft, env);
    addon = basename(await compileAddon(library, draft, env).finally(() => sessions));
    withoutGraphs = await sessions;
    const files = namesIn(draft).filter((name) => /\.(node|so|dylib|dll)$/.test(name));
    return new Map(await Promise.all(files.map(async (name) => [name, await sha256Of(join(draft, name))] as const)));
  });
  return { addon: join(folder, addon), withoutGraphs };
}

/** An addon belongs to its sources and to one library as it lies on disk. */
function addonKey(library: TensorFlowLibrary): string {
  const hash = createHash('sha256').update('with a list of its files').update(sourceDigest());
  for (const name of library.objects) {
    const file = join(library.folder, name);
    const { size, mtimeMs } = statSync(file);
    hash.update(`${file} ${size} ${mtimeMs}`);
  }
  return hash.digest('hex').slice(0, 16);
}

/** Says in words what the file system refused. */
function explained(error: unknown, cache: string, engine: NativeEngine): unknown {
  const { code } = error as NodeJS.ErrnoException;
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    const needed = engine === 'tensorflow-gpu' ? 9 : 1.5;
    return new RuntimeError(
      `the disk of ${cache} is full; ${engine} needs about ${needed} GB there, or set PYRAMIDAL_CACHE to another`,
    );
  }
  if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS' || code === 'ENOTDIR') {
    return new RuntimeError(`cannot write to the cache folder ${cache} (${code}); set PYRAMIDAL_CACHE to another`);
  }
  return error instanceof FileError ? new RuntimeError(error.message) : error;
}
