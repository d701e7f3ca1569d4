/** The addon in this process. */
import { createRequire } from 'node:module';
import { existsSync } from 'node:fs';
import { availableParallelism, cpus } from 'node:os';
import { dirname, join } from 'node:path';
import type { NativeEngine } from '../native-engine';
import { cacheFolder } from '../install/cache-folder';
import { SESSION_ADDON } from '../install/compile-addon';
import type { Installation } from '../install/installation';
import { type EngineBinding, RuntimeError, type SessionAddon } from '@pyramidal/kernels/engine';
import { outerProcess } from './outer-process';

/** What the process has loaded: a second TensorFlow, or another thread count, is not possible in it. */
export interface LoadedAddon {
  readonly binding: EngineBinding;
  readonly addon: string;
  readonly engine: NativeEngine;
  readonly threads: number;
  /** The path of the addon that has `decodeJpeg(file, pixels, width, height)`, if there is one; worker threads can load it too. */
  readonly jpegDecoder: string | undefined;
}

const LOADED = Symbol.for('@pyramidal/runtime/loaded-addon');

type Holder = NodeJS.Process & { [LOADED]?: LoadedAddon };

/**
 * Loads the addon of an installation, once per process; test files that each have their own copy of this
 * module share it. Thread counts, log level and GPUs reach TensorFlow through its environment variables.
 * @param threads for each operation and for operations side by side; one per processor core by default.
 * @throws RuntimeError when it does not load, or when another library is loaded already.
 */
export function loadAddon(engine: NativeEngine, installation: Installation, threads?: number): LoadedAddon {
  const outer = outerProcess() as Holder;
  const { addon } = installation;
  const before = outer[LOADED];
  if (before && (before.addon !== addon || before.engine !== engine)) {
    throw new RuntimeError(
      `${engine}: this process has loaded ${before.engine} from ${before.addon}; use another process`,
    );
  }
  return before ?? (outer[LOADED] = load(engine, installation, outer.env, threads));
}

function load(
  engine: NativeEngine,
  installation: Installation,
  env: NodeJS.ProcessEnv,
  threads: number | undefined,
): LoadedAddon {
  const { addon } = installation;
  env.TF_CPP_MIN_LOG_LEVEL ??= '2';
  if (engine === 'tensorflow') env.CUDA_VISIBLE_DEVICES = '-1';
  // By itself TensorFlow 2.21 takes oneDNN only on processors with dot products of bytes. With AVX2 alone a training step takes half of the time with
  // it, too, a fifth of which the system spent on giving tensors new memory in each step.
  if (process.arch === 'x64') env.TF_ENABLE_ONEDNN_OPTS ??= '1';
  const used = threads ?? (Number(env.TF_NUM_INTRAOP_THREADS) || availableParallelism());
  env.TF_NUM_INTRAOP_THREADS = String(used);
  env.TF_NUM_INTEROP_THREADS = String(used);
  try {
    const binding = createRequire(__filename)(addon) as EngineBinding;
    const file = join(dirname(addon), SESSION_ADDON);
    const beside = existsSync(file) ? (createRequire(__filename)(file) as SessionModule) : undefined;
    const sessions = beside && sessionsOf(beside, installation, env, engine === 'tensorflow' ? used : 0);
    const jpegDecoder = beside?.decodeJpeg === undefined ? undefined : file;
    return { binding: Object.assign(binding, { sessions }), addon, engine, threads: used, jpegDecoder };
  } catch (error) {
    throw new RuntimeError(`${engine} does not load: ${(error as Error).message}; run \`pyramidal-runtime doctor\``);
  }
}

/** The addon for graphs, which lies beside the engine's where it could be compiled. */
interface SessionModule extends Pick<SessionAddon, 'Session' | 'startServer' | 'trimHeap'> {
  readonly decodeJpeg?: unknown;
}

function sessionsOf(
  { Session, startServer, trimHeap }: SessionModule,
  installation: Installation,
  env: NodeJS.ProcessEnv,
  threads: number,
): SessionAddon {
  const folder = env.PYRAMIDAL_GRAPHS ?? join(cacheFolder(env), 'graphs');
  const rewritten = { folder, engine: identityOf(installation, env) };
  return { Session, startServer, trimHeap, threads, rewritten };
}

/** What an engine does, as far as files, settings and the processor decide it. */
function identityOf({ engine, tensorflow, files }: Installation, env: NodeJS.ProcessEnv): string {
  const settings = Object.entries(env).filter(([name]) => /^(TF|DNNL|ONEDNN|CUDA)_/.test(name));
  return JSON.stringify([engine, tensorflow, files, settings.sort(), process.arch, cpus()[0]?.model]);
}
