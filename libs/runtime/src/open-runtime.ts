import * as tf from '@tensorflow/tfjs-core';
import { randomInt } from 'node:crypto';
import { type Engine, type EngineChoice, type NativeEngine, parseEngine } from './engines';
import { cacheFolder } from './install/cache-folder';
import { findFault, readInstallation } from './install/installation';
import { openNative } from './native/open-native';
import { RuntimeError } from './runtime-error';

export interface RuntimeOptions {
  /** `auto` by default. */
  readonly engine?: EngineChoice;
  /** Threads that compute; one per processor core by default. */
  readonly threads?: number;
  /** The TensorFlow to use, as it was given to `install`; `PYRAMIDAL_TENSORFLOW` by default. */
  readonly library?: string;
  /** Seed that the run hands to whatever draws at random, 0 to 2^31 - 1; drawn here when absent. */
  readonly seed?: number;
}

export interface Runtime {
  readonly engine: Engine;
  /** Why this engine and not a faster one, in plain words. */
  readonly reason: string;
  readonly versions: Versions;
  /** Threads that compute; a native engine keeps the number it was first opened with. */
  readonly threads: number;
  readonly seed: number;
}

export interface Versions {
  readonly tfjs: string;
  readonly node: string;
  /** Of a native engine, as is `library`, its folder. */
  readonly tensorflow?: string;
  readonly library?: string;
}

/** What an engine's opening adds to the common part of a `Runtime`. */
interface Opened {
  readonly threads: number;
  readonly versions?: Pick<Versions, 'tensorflow' | 'library'>;
  readonly note?: string;
}

const ENGINES: Record<Engine, (options: RuntimeOptions) => Promise<Opened>> = {
  'tensorflow-gpu': (options) => openInstalled('tensorflow-gpu', options),
  tensorflow: (options) => openInstalled('tensorflow', options),
  wasm: openWasmEngine,
  cpu: openCpu,
};

/** The order in which `auto` tries them. */
const FASTEST_FIRST: readonly Engine[] = ['tensorflow-gpu', 'tensorflow', 'wasm', 'cpu'];

/**
 * Opens a TensorFlow.js engine and makes it the current backend. `auto` takes the fastest that is ready and never fails
 * because another is not.
 * @throws RuntimeError in one line: an unknown engine, or why the one asked for cannot be opened.
 */
export async function openRuntime(options: RuntimeOptions = {}): Promise<Runtime> {
  const choice = parseEngine(options.engine ?? 'auto');
  checkWhole('threads', options.threads, 1, 1024);
  checkWhole('seed', options.seed, 0, 2 ** 31 - 1);
  if (choice !== 'auto') return describe(choice, 'asked for', await ENGINES[choice](options), options);

  const passedOver: string[] = [];
  for (const engine of FASTEST_FIRST) {
    if (engine === 'tensorflow-gpu' && !(await readInstalled(engine, options))) continue;
    try {
      const opened = await ENGINES[engine](options);
      return describe(engine, ['the fastest engine that is ready', ...passedOver].join('; '), opened, options);
    } catch (error) {
      passedOver.push((error as Error).message);
    }
  }
  throw new RuntimeError(`no engine opens: ${passedOver.join('; ')}`);
}

function describe(engine: Engine, reason: string, opened: Opened, options: RuntimeOptions): Runtime {
  return {
    engine,
    reason: opened.note ? `${reason}; ${opened.note}` : reason,
    versions: { tfjs: tf.version_core, node: process.versions.node, ...opened.versions },
    threads: opened.threads,
    seed: options.seed ?? randomInt(2 ** 31 - 1),
  };
}

async function openInstalled(engine: NativeEngine, options: RuntimeOptions): Promise<Opened> {
  const command = installCommand(engine, libraryPath(options));
  const installation = await readInstalled(engine, options);
  if (!installation) throw new RuntimeError(`${engine} is not installed (${command})`);
  const fault = await findFault(installation, 'quick');
  if (fault) throw new RuntimeError(`${engine} needs to be installed again (${command}): ${fault}`);
  const { threads } = await openNative(engine, installation, options.threads);
  const note =
    options.threads && options.threads !== threads
      ? `it keeps the ${threads} threads that this process opened it with`
      : undefined;
  return { threads, note, versions: { tensorflow: installation.tensorflow, library: installation.library } };
}

const libraryPath = ({ library }: RuntimeOptions) => library ?? process.env.PYRAMIDAL_TENSORFLOW;

const readInstalled = (engine: NativeEngine, options: RuntimeOptions) =>
  readInstallation(cacheFolder(), engine, libraryPath(options));

function installCommand(engine: NativeEngine, path: string | undefined): string {
  const which = engine === 'tensorflow' ? '' : ` --engine ${engine}`;
  return `\`pyramidal-runtime install${which}${path ? ` --library ${path}` : ''}\``;
}

async function openWasmEngine({ threads }: RuntimeOptions): Promise<Opened> {
  const { openWasm } = await import('./wasm/open-wasm.js');
  return openWasm({ threads });
}

async function openCpu(): Promise<Opened> {
  // The gradients: no smaller package has them.
  await import('@tensorflow/tfjs');
  await import('@tensorflow/tfjs-backend-cpu');
  if (!(await tf.setBackend('cpu'))) throw new RuntimeError('the cpu engine did not start');
  // It would advise to install the published native package on its first tensor.
  Object.assign(tf.backend(), { firstUse: false });
  return { threads: 1 };
}

function checkWhole(name: string, value: number | undefined, least: number, most: number): void {
  if (value === undefined || (Number.isInteger(value) && value >= least && value <= most)) return;
  throw new RuntimeError(`${name}: expected a whole number from ${least} to ${most}, received ${value}`);
}
