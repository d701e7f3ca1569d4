/** Opens an engine of TensorFlow.js: the one asked for, or the fastest that is ready. */
import * as tf from '@tensorflow/tfjs-core';
import { randomInt } from 'node:crypto';
import { type Engine, type EngineChoice, parseEngine } from './engines';
import { isInstalled, type NativeEngine, openInstalled } from '@pyramidal/native';
import { RuntimeError } from '@pyramidal/kernels/engine';

/** Which engine to open, and how. */
export interface RuntimeOptions {
  /** Default `auto`. */
  readonly engine?: EngineChoice;
  /** Threads that compute; default one per processor core. */
  readonly threads?: number;
  /** The TensorFlow to use, as it was given to `install`; default `PYRAMIDAL_TENSORFLOW`. */
  readonly library?: string;
  /** Seed that the run hands to whatever draws at random, 0 to 2^31 - 1; drawn here when absent. */
  readonly seed?: number;
}

/** The engine that was opened. */
export interface Runtime {
  readonly engine: Engine;
  /** Why this engine and not a faster one, in plain words. */
  readonly reason: string;
  readonly versions: Versions;
  /** Threads that compute; a native engine keeps the number it was first opened with. */
  readonly threads: number;
  readonly seed: number;
  /** The path of a module that decodes JPEGs, if the engine brings one. */
  readonly jpegDecoder?: string | undefined;
}

/** The versions that a run depends on. */
export interface Versions {
  readonly tfjs: string;
  readonly node: string;
  /** The TensorFlow of a native engine. */
  readonly tensorflow?: string;
  /** The folder of a native engine's TensorFlow. */
  readonly library?: string;
}

/** What an engine's opening adds to the common part of a `Runtime`. */
interface Opened {
  readonly threads: number;
  readonly versions?: Pick<Versions, 'tensorflow' | 'library'>;
  readonly note?: string;
  readonly jpegDecoder?: string | undefined;
}

const ENGINES: Record<Engine, (options: RuntimeOptions) => Promise<Opened>> = {
  'tensorflow-gpu': (options) => openNative('tensorflow-gpu', options),
  tensorflow: (options) => openNative('tensorflow', options),
  webgpu: openWebGpuEngine,
  wasm: openWasmEngine,
  cpu: openCpu,
};

/** The order in which `auto` tries them; webgpu is experimental, and only opened when asked for. */
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

  // A set: a package that lacks a part says the same of both native engines.
  const passedOver = new Set<string>();
  for (const engine of FASTEST_FIRST) {
    try {
      if (engine === 'tensorflow-gpu' && !isInstalled(engine, options)) continue;
      const opened = await ENGINES[engine](options);
      return describe(engine, ['the fastest engine that is ready', ...passedOver].join('; '), opened, options);
    } catch (error) {
      passedOver.add((error as Error).message);
    }
  }
  throw new RuntimeError(`no engine opens: ${[...passedOver].join('; ')}`);
}

function describe(engine: Engine, reason: string, opened: Opened, options: RuntimeOptions): Runtime {
  return {
    engine,
    reason: opened.note ? `${reason}; ${opened.note}` : reason,
    versions: { tfjs: tf.version_core, node: process.versions.node, ...opened.versions },
    threads: opened.threads,
    seed: options.seed ?? randomInt(2 ** 31 - 1),
    jpegDecoder: opened.jpegDecoder,
  };
}

async function openNative(engine: NativeEngine, { library, threads: wanted }: RuntimeOptions): Promise<Opened> {
  const { threads, jpegDecoder, ...versions } = await openInstalled(engine, { library, threads: wanted });
  const note =
    wanted && wanted !== threads ? `it keeps the ${threads} threads that this process opened it with` : undefined;
  return { threads, note, versions, jpegDecoder };
}

async function openWasmEngine({ threads }: RuntimeOptions): Promise<Opened> {
  const { openWasm } = await import('@pyramidal/wasm');
  return openWasm({ threads });
}

async function openWebGpuEngine(): Promise<Opened> {
  const { describeAdapter, openWebGpu } = await import('@pyramidal/webgpu');
  const { adapter } = await openWebGpu();
  return { threads: 1, note: `on ${describeAdapter(adapter)}` };
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
