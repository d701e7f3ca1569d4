/** Libraries that are on this machine already: a path, or Python's TensorFlow. */
import { existsSync, statSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { RuntimeError } from '@pyramidal/kernels/engine';
import { findLibrary, type TensorFlowLibrary } from './library';
import { storeWheels } from './library-store';
import { findPython, findPythonTensorFlow } from './python';
import type { FoundLibrary, RouteContext } from './route';

/** Oldest wheel whose `libtensorflow_cc` exports the C API and brings the headers. */
const OLDEST = [2, 16] as const;

/** What wheels are called, so that the folder named after one lies in the store. */
const WHEEL = /^\w[\w.+-]*$/;

/** A path that the user gives: a wheel, a folder with libtensorflow, or `site-packages/tensorflow`. */
export async function fromPath(path: string, context: RouteContext): Promise<FoundLibrary> {
  const full = resolve(path);
  if (!existsSync(full)) throw new RuntimeError(`library: ${full} does not exist`);
  if (statSync(full).isFile()) {
    if (!full.endsWith('.whl')) throw new RuntimeError(`library: expected a folder or a .whl file, received ${full}`);
    const name = basename(full, '.whl');
    if (!WHEEL.test(name)) throw new RuntimeError(`library: expected a wheel's own file name, received ${full}`);
    const stored = await storeWheels(context.cache, name, [full], context.progress);
    return { library: findLibrary(stored) as TensorFlowLibrary, stored, origin: `the wheel ${full}` };
  }
  const library = findLibrary(full);
  if (library) return { library, origin: `the folder ${full}` };
  throw new RuntimeError(
    `library: expected libtensorflow_cc or libtensorflow with include/tensorflow/c beside it, found none in ${full}`,
  );
}

/** The TensorFlow of an installed Python; undefined where there is none that serves. */
export async function fromPython({ engine, env }: RouteContext): Promise<FoundLibrary | undefined> {
  const python = await findPython(env);
  const installed = python && (await findPythonTensorFlow(python, env));
  if (!installed || !isRecent(installed.version)) return undefined;
  if (engine === 'tensorflow-gpu' && !(await isCudaBuild(installed.folder))) return undefined;
  const library = findLibrary(installed.folder);
  return library && { library, origin: `Python's TensorFlow ${installed.version} in ${installed.folder}` };
}

function isRecent(version: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return major > OLDEST[0] || (major === OLDEST[0] && minor >= OLDEST[1]);
}

async function isCudaBuild(folder: string): Promise<boolean> {
  const info = await readFile(join(folder, 'python', 'platform', 'build_info.py'), 'utf8').catch(() => '');
  return /is_cuda_build['"]?\s*[:=]\s*True/.test(info);
}
