import { existsSync, statSync } from 'node:fs';
import { readFile, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { NativeEngine } from '../engines';
import { RuntimeError } from '../runtime-error';
import { findLibrary, type TensorFlowLibrary } from './library';
import { findStored, storeWheels } from './library-store';
import type { InstallProgress } from './progress';
import { findPip, findPython, findPythonTensorFlow } from './python';
import { downloadWheel } from './wheel-index';

/** A library that a route has brought about. */
export interface FoundLibrary {
  readonly library: TensorFlowLibrary;
  /** Where it came from, in plain words. */
  readonly origin: string;
}

export interface RouteContext {
  readonly engine: NativeEngine;
  readonly cache: string;
  readonly env: NodeJS.ProcessEnv;
  readonly progress: InstallProgress;
  /** Version of the wheel to download. */
  readonly tensorflow: string;
}

/** The version that everything here is tested with. */
export const TENSORFLOW_VERSION = '2.21.0';

/** Oldest wheel whose `libtensorflow_cc` exports the C API and brings the headers. */
const OLDEST_MINOR = 16;

/** Route 1: a path that the user gives: a wheel, a folder with libtensorflow, or `site-packages/tensorflow`. */
export async function fromPath(path: string, context: RouteContext): Promise<FoundLibrary> {
  const full = resolve(path);
  if (!existsSync(full)) throw new RuntimeError(`library: ${full} does not exist`);
  if (statSync(full).isFile()) {
    if (!full.endsWith('.whl')) throw new RuntimeError(`library: expected a folder or a .whl file, received ${full}`);
    return { library: await storeWheels(context.cache, [full], context.progress), origin: `the wheel ${full}` };
  }
  const library = findLibrary(full);
  if (library) return { library, origin: `the folder ${full}` };
  throw new RuntimeError(
    `library: found no libtensorflow with headers (libtensorflow_cc.so.2 or libtensorflow.so.2, include/tensorflow/c) in ${full}`,
  );
}

/** Route 2: the TensorFlow of an installed Python; undefined where there is none that serves. */
export async function fromPython(context: RouteContext): Promise<FoundLibrary | undefined> {
  const python = await findPython(context.env);
  const installed = python && (await findPythonTensorFlow(python, context.env));
  if (!installed || !isRecent(installed.version)) return undefined;
  if (context.engine === 'tensorflow-gpu' && !(await isCudaBuild(installed.folder))) return undefined;
  const library = findLibrary(installed.folder);
  return library && { library, origin: `Python's TensorFlow ${installed.version} in ${installed.folder}` };
}

const isRecent = (version: string) => {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return major > 2 || (major === 2 && minor >= OLDEST_MINOR);
};

async function isCudaBuild(folder: string): Promise<boolean> {
  const info = await readFile(join(folder, 'python', 'platform', 'build_info.py'), 'utf8').catch(() => '');
  return /is_cuda_build['"]?\s*[:=]\s*True/.test(info);
}

/** Route 3: a wheel that pip finds, unpacked without being installed. */
export async function fromWheel(context: RouteContext): Promise<FoundLibrary> {
  const requirement = `${packageName(context.engine)}==${context.tensorflow}`;
  const stored = await findStored(context.cache, `${requirement.replace('==', '-').replace('tensorflow-cpu', 'tensorflow_cpu')}-`);
  if (stored) return { library: stored, origin: `the wheel of ${requirement}` };
  const python = await findPython(context.env);
  if (!python) {
    throw new RuntimeError('no Python 3 found to fetch the TensorFlow wheel with; install python3 and python3-pip');
  }
  if (!(await findPip(python, context.env))) {
    throw new RuntimeError(
      `${python.command.join(' ')} (Python ${python.version}) has no pip; install python3-pip or run \`python3 -m ensurepip\``,
    );
  }
  const downloads = join(context.cache, 'downloads');
  context.progress.step(`Downloading ${requirement}`);
  const wheel = await downloadWheel(python, requirement, downloads, context.progress, context.env);
  const library = await storeWheels(context.cache, [wheel], context.progress);
  await rm(wheel, { force: true });
  return { library, origin: `the wheel of ${requirement}` };
}

/** The CPU build is published for x64 alone; elsewhere the general wheel is one. */
const packageName = (engine: NativeEngine) =>
  engine === 'tensorflow' && process.platform === 'linux' && process.arch === 'x64' ? 'tensorflow-cpu' : 'tensorflow';
