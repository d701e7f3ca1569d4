/** TensorFlow's wheel, found by pip. */
import { rm } from 'node:fs/promises';
import type { NativeEngine } from '../native-engine';
import { RuntimeError } from '@pyramidal/kernels/engine';
import { findLibrary, hasSessionHeaders, type TensorFlowLibrary } from './library';
import { findStored, storeWheels } from './library-store';
import { downloadWheels, readRequirements } from './wheel-index';
import { findPip, findPython, type Python } from './python';
import type { FoundLibrary, RouteContext } from './route';

/** The version that everything here is tested with. */
export const TENSORFLOW_VERSION = '2.21.0';

/** Wheels that pip finds, downloaded and unpacked without being installed in Python. */
export async function fromWheel(context: RouteContext): Promise<FoundLibrary> {
  const requirement = `${packageName(context.engine)}==${context.tensorflow}`;
  const name = `${context.engine}-${context.tensorflow}-${process.platform}-${process.arch}`;
  const stored = (await findComplete(requirement, name, context)) ?? (await fetchWheels(requirement, name, context));
  return { library: findLibrary(stored) as TensorFlowLibrary, stored, origin: `the wheel of ${requirement}` };
}

/** The stored library, fetched again where it was stored with fewer headers than are needed now. */
async function findComplete(requirement: string, name: string, context: RouteContext): Promise<string | undefined> {
  const stored = await findStored(context.cache, name);
  if (stored === undefined || hasSessionHeaders(findLibrary(stored) as TensorFlowLibrary)) return stored;
  try {
    return await fetchWheels(requirement, name, context);
  } catch (error) {
    // Without a network steps run operation by operation on what is there.
    const kept = await findStored(context.cache, name);
    if (error instanceof RuntimeError && kept !== undefined) return kept;
    throw error;
  }
}

async function fetchWheels(requirement: string, name: string, context: RouteContext): Promise<string> {
  const python = await pythonWithPip(context.env);
  const cuda = context.engine === 'tensorflow-gpu' ? await cudaRequirements(python, requirement, context) : [];
  const wheels = await downloadWheels(python, [requirement, ...cuda], context);
  const stored = await storeWheels(context.cache, name, wheels, context.progress);
  for (const wheel of wheels) await rm(wheel, { force: true });
  return stored;
}

/** The CPU build is published for Linux on x64 alone; elsewhere the general wheel is one. */
const packageName = (engine: NativeEngine) =>
  engine === 'tensorflow' && process.platform === 'linux' && process.arch === 'x64' ? 'tensorflow-cpu' : 'tensorflow';

async function pythonWithPip(env: NodeJS.ProcessEnv): Promise<Python> {
  const python = await findPython(env);
  if (!python) {
    throw new RuntimeError('no Python 3 found to fetch the TensorFlow wheel with; install python3 and python3-pip');
  }
  if (await findPip(python, env)) return python;
  const command = python.command.join(' ');
  throw new RuntimeError(
    `${command} (Python ${python.version}) has no pip; install python3-pip or run \`${command} -m ensurepip\``,
  );
}

/** What `tensorflow[and-cuda]` adds: the wheels that hold NVIDIA's libraries. */
async function cudaRequirements(python: Python, requirement: string, context: RouteContext): Promise<string[]> {
  const all = await readRequirements(python, requirement, context);
  return all
    .filter((line) => line.startsWith('nvidia-') && /extra\s*==\s*["']and-cuda["']/.test(line))
    .map((line) => line.split(';')[0]?.trim() ?? '');
}
