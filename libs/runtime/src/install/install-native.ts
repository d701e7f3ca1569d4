import { createHash } from 'node:crypto';
import { statSync } from 'node:fs';
import { mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { NativeEngine } from '../engines';
import { cacheFolder } from './cache-folder';
import { compileAddon, compilerAdvice, findCompiler, sourceDigest } from './compile-addon';
import { stampFile } from './file-stamp';
import { findFault, type Installation, readInstallation, writeInstallation } from './installation';
import { withInstallLock } from './install-lock';
import type { TensorFlowLibrary } from './library';
import { probeAddon } from './probe';
import { type InstallProgress, SILENT } from './progress';
import { type FoundLibrary, fromPath, fromPython, fromWheel, type RouteContext, TENSORFLOW_VERSION } from './routes';
import { RuntimeError } from '../runtime-error';

export interface InstallOptions {
  readonly engine?: NativeEngine;
  /** A wheel file, a folder with libtensorflow, or `site-packages/tensorflow`; `PYRAMIDAL_TENSORFLOW` by default. */
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
  const existing = async () => {
    const installation = await readInstallation(cache, engine, path);
    return installation && !(await findFault(installation, 'quick')) ? installation : undefined;
  };
  const before = force ? undefined : await existing();
  if (before) return { installation: before, already: true };

  const waiting = (pid: number) => progress.step(`Waiting for another installation (process ${pid}) to end`);
  const work = async (): Promise<InstallOutcome> => {
    const meanwhile = force ? undefined : await existing();
    if (meanwhile) return { installation: meanwhile, already: true };
    const context = { engine, cache, env, progress, tensorflow: options.tensorflow ?? TENSORFLOW_VERSION };
    const found = await findOrFetch(context, path);
    const installation = await build(found, context);
    await writeInstallation(cache, installation, path);
    return { installation, already: false };
  };
  return withInstallLock(cache, work, waiting);
}

async function findOrFetch(context: RouteContext, path: string | undefined): Promise<FoundLibrary> {
  // Said before a long download rather than after it.
  if (!(await findCompiler(context.env))) throw new RuntimeError(compilerAdvice());
  if (path) return fromPath(path, context);
  return (await fromPython(context)) ?? (await fromWheel(context));
}

async function build({ library, origin }: FoundLibrary, context: RouteContext): Promise<Installation> {
  const sources = sourceDigest();
  const addons = join(context.cache, 'addons');
  await mkdir(addons, { recursive: true });
  const draft = await mkdtemp(join(addons, 'compiling-'));
  try {
    context.progress.step('Compiling the addon');
    const compiled = join(draft, 'tfjs_binding.node');
    await compileAddon(library, compiled, context.env);
    context.progress.step('Checking that it computes');
    const { version } = await probeAddon(compiled, context.env);
    const folder = join(addons, `tf${version}-${addonKey(library, sources)}`);
    await rm(folder, { recursive: true, force: true });
    await rename(draft, folder);
    const addon = join(folder, 'tfjs_binding.node');
    const objects = library.objects.map((name) => join(library.folder, name));
    const files = [];
    for (const file of [addon, ...objects]) files.push(await stampFile(file));
    return { engine: context.engine, origin, library: library.folder, addon, tensorflow: version, sources, files };
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
}

/** An addon belongs to its sources and to one library as it lies on disk. */
function addonKey(library: TensorFlowLibrary, sources: string): string {
  const hash = createHash('sha256').update(sources);
  for (const name of library.objects) {
    const file = join(library.folder, name);
    const { size, mtimeMs } = statSync(file);
    hash.update(`${file} ${size} ${mtimeMs}`);
  }
  return hash.digest('hex').slice(0, 16);
}
