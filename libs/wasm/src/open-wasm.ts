/** Opens TensorFlow.js's WebAssembly engine in Node, with threads. */
import { availableParallelism } from 'node:os';
import * as path from 'node:path';
import type * as Wasm from '@tensorflow/tfjs-backend-wasm';
import * as tf from '@tensorflow/tfjs-core';
import { registerKernels } from './kernels/register-kernels';
import type { WasmMemory } from './memory-limit';
import { guardMemory } from './memory-limit';
import { openVectorKernels, type EngineMemory } from './vector-kernels';
import { MAX_THREADS, withWorkers } from './worker-threads';

/** What the WebAssembly engine was opened with. */
export interface OpenedWasm {
  /** Threads that compute, the main one included. */
  readonly threads: number;
  /** Whether the processor's vector instructions are used. */
  readonly simd: boolean;
  /** Why it has one thread although more were asked for. */
  readonly note?: string;
}

type WasmPackage = typeof Wasm;

/**
 * Makes `wasm` the current TensorFlow.js backend, with threads where they work and every kernel that training needs.
 * A second call keeps the engine of the first one, threads included.
 * @param options.threads 1 to 8, more count as 8; as many as there are processors by default.
 * @throws if `threads` is not a positive whole number, or if the engine cannot start at all.
 */
export async function openWasm(options: { threads?: number } = {}): Promise<OpenedWasm> {
  const { threads = availableParallelism() } = options;
  if (!Number.isInteger(threads) || threads < 1) {
    throw new Error(`openWasm: expected threads to be a whole number of 1 or more, received ${threads}`);
  }
  // One after the other: TensorFlow.js gives up a backend that starts when another start begins.
  const opened = lastOpening.then(() => open(threads));
  lastOpening = opened.catch(() => undefined);
  return opened;
}

let lastOpening: Promise<unknown> = Promise.resolve();

async function open(threads: number): Promise<OpenedWasm> {
  // Loaded here and not above, because loading registers: the gradients (no smaller package has them) and the backend.
  await import('@tensorflow/tfjs');
  const wasm = await import('@tensorflow/tfjs-backend-wasm');
  registerKernels();
  const simd = Boolean(await tf.env().getAsync('WASM_HAS_SIMD_SUPPORT'));
  const note = isStarted() ? undefined : await start(wasm, simd ? Math.min(threads, MAX_THREADS) : 1);
  if (!(await tf.setBackend('wasm'))) throw new Error('openWasm: the WebAssembly engine did not start');
  return { threads: wasm.getThreadsCount(), simd, ...(note && { note }) };
}

/** What the module of one thread exports. */
interface Asm {
  readonly asm: { readonly memory: EngineMemory };
}

const isStarted = () => 'wasm' in tf.engine().registry;

/** Starts with threads or, where that fails, with one; then returns why. */
async function start(wasm: WasmPackage, threads: number): Promise<string | undefined> {
  const packageFolder = path.dirname(require.resolve('@tensorflow/tfjs-backend-wasm/package.json'));
  wasm.setWasmPaths(path.join(packageFolder, 'dist', path.sep));
  if (threads > 1) {
    try {
      await keepProcessHandlers(() =>
        withWorkers(threads, packageFolder, openVectorKernels, () => startBackend(wasm, threads)),
      );
      return undefined;
    } catch (error) {
      await keepProcessHandlers(() => startBackend(wasm, 1));
      return `one thread only: ${error instanceof Error ? error.message : String(error)}`;
    }
  }
  await keepProcessHandlers(() => startBackend(wasm, 1));
  return undefined;
}

async function startBackend(wasm: WasmPackage, threads: number): Promise<void> {
  tf.env().set('WASM_HAS_MULTITHREAD_SUPPORT', threads > 1);
  wasm.setThreadsCount(threads);
  if (!(await tf.setBackend('wasm'))) throw new Error('the WebAssembly module did not start');
  const { wasm: module } = tf.backend() as Wasm.BackendWasm;
  guardMemory(module as typeof module & WasmMemory);
  if (threads === 1) openVectorKernels((module as typeof module & Asm).asm.memory);
}

/** Takes off the handlers by which the WebAssembly module ends the process on any unhandled error. */
async function keepProcessHandlers<T>(body: () => Promise<T>): Promise<T> {
  const before = new Set([...process.listeners('uncaughtException'), ...process.listeners('unhandledRejection')]);
  try {
    return await body();
  } finally {
    for (const listener of process.listeners('uncaughtException')) {
      if (!before.has(listener)) process.off('uncaughtException', listener);
    }
    for (const listener of process.listeners('unhandledRejection')) {
      if (!before.has(listener)) process.off('unhandledRejection', listener);
    }
  }
}
