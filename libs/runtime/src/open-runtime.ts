import * as tf from '@tensorflow/tfjs-core';
import { availableParallelism } from 'node:os';
import type { Engine, EngineChoice, NativeEngine } from './engines';
import { parseEngine } from './engines';
import { cacheFolder } from './install/cache-folder';
import { findFault, readInstallation } from './install/installation';
import { openNative } from './native/open-native';
import { RuntimeError } from './runtime-error';

export interface RuntimeOptions {
  /** `auto` by default. */
  readonly engine?: EngineChoice;
  /** Worker threads of an operation; by default one per processor core. */
  readonly threads?: number;
  /** The library to use, as it was given to `install`; `PYRAMIDAL_TENSORFLOW` by default. */
  readonly library?: string;
  /** Seed of the run; drawn at random when absent. */
  readonly seed?: number;
}

export interface Runtime {
  readonly engine: Engine;
  /** Why this engine was taken, in plain words. */
  readonly reason: string;
  readonly versions: {
    readonly tfjs: string;
    readonly node: string;
    readonly tensorflow?: string;
    /** Folder of the TensorFlow library. */
    readonly library?: string;
  };
  readonly threads: number;
  readonly seed: number;
}

export async function openRuntime(options: RuntimeOptions = {}): Promise<Runtime> {
  const engine = parseEngine(options.engine ?? 'auto');
  const threads = options.threads ?? availableParallelism();
  const library = options.library ?? process.env.PYRAMIDAL_TENSORFLOW;
  const native = engine as NativeEngine;
  const installation = await readInstallation(cacheFolder(), native, library);
  const fault = installation ? await findFault(installation, 'quick') : 'it is not installed';
  if (!installation || fault) throw new RuntimeError(`${engine}: ${fault}; run \`pyramidal-runtime install\``);
  await openNative(native, installation, threads);
  return {
    engine: native,
    reason: 'asked for',
    versions: {
      tfjs: tf.version_core,
      node: process.versions.node,
      tensorflow: installation.tensorflow,
      library: installation.library,
    },
    threads,
    seed: options.seed ?? 0,
  };
}
