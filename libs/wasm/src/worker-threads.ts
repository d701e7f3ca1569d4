/** Node's worker threads in the form that the threaded WebAssembly module expects of a browser. */
import { createRequire } from 'node:module';
import os from 'node:os';
import * as path from 'node:path';
import type { Transferable } from 'node:worker_threads';
import { Worker } from 'node:worker_threads';
import type { EngineMemory } from './vector-kernels';

/** Workers that the threaded WebAssembly module always asks for, however many threads it then uses. */
const POOL_SIZE = 8;

/** The main thread computes too, so a full pool makes nine; eight keeps to the pool that is there before it blocks. */
export const MAX_THREADS = POOL_SIZE;

interface LoadMessage {
  cmd: 'load';
  urlOrBlob: unknown;
  /** The module's, which nothing else tells. */
  wasmMemory: EngineMemory;
}

/**
 * Runs `start` while the global `Worker` is one that the threaded WebAssembly module can use under Node, and puts the
 * former global back afterwards. The module expects a browser: its worker is a `blob:` URL, its script another one.
 * @param threads how many threads will compute, the main one included; workers beyond them are stand-ins.
 * @param packageFolder where `@tensorflow/tfjs-backend-wasm` is installed.
 * @param onMemory told the memory that the threads share.
 * @throws whatever `start` or a worker that cannot start throws.
 */
export async function withWorkers<T>(
  threads: number,
  packageFolder: string,
  onMemory: (memory: EngineMemory) => void,
  start: () => Promise<T>,
): Promise<T> {
  const script = path.join(packageFolder, 'wasm-out', 'tfjs-backend-wasm-threaded-simd.js');
  const { wasmWorkerContents } = createRequire(script)(script.replace(/\.js$/, '.worker.js')) as {
    wasmWorkerContents: string;
  };
  const source = wasmWorkerContents.replaceAll('\n', '\\n'); // it holds line breaks inside quotes
  let idle = POOL_SIZE - (threads - 1);
  let fail: (error: Error) => void;
  const failure = new Promise<never>((_resolve, reject) => (fail = reject));

  class ModuleWorker extends Worker {
    constructor() {
      super(source, { eval: true, execArgv: [] });
      super.on('error', fail);
    }

    /** The module's own 'error' listener rethrows, which would end the process. */
    override on(event: string, listener: (...args: never[]) => void): this {
      return event === 'error' ? this : super.on(event, listener as (...args: unknown[]) => void);
    }

    override postMessage(message: LoadMessage, transfer?: readonly Transferable[]): void {
      if (message.cmd !== 'load') return super.postMessage(message, transfer);
      onMemory(message.wasmMemory);
      super.postMessage({ ...message, urlOrBlob: script }, transfer);
    }

    /** The module holds the process open while a thread waits for work, which is always. */
    override ref(): void {}
  }

  // The module takes workers from the end of its pool, so the stand-ins are the first ones it makes.
  const SuppliedWorker = function () {
    return idle-- > 0 ? new IdleWorker() : new ModuleWorker();
  };
  const { cpus } = os;
  const former = Object.getOwnPropertyDescriptor(globalThis, 'Worker');
  // The module also assigns the plain Worker of Node to this global: ignored.
  Object.defineProperty(globalThis, 'Worker', { configurable: true, get: () => SuppliedWorker, set: () => undefined });
  os.cpus = () => Array.from({ length: 2 * threads }, () => cpus()[0]!); // the module uses half of what it sees
  try {
    return await Promise.race([start(), failure]);
  } finally {
    os.cpus = cpus;
    if (former) Object.defineProperty(globalThis, 'Worker', former);
    else Reflect.deleteProperty(globalThis, 'Worker');
  }
}

/** Takes a place in the pool and says that it has loaded; it is never given work. */
class IdleWorker {
  private onMessage: (data: unknown) => void = () => undefined;

  on(event: string, listener: (data: unknown) => void): this {
    if (event === 'message') this.onMessage = listener;
    return this;
  }

  postMessage(): void {
    queueMicrotask(() => this.onMessage({ cmd: 'loaded' }));
  }

  ref(): void {}
  unref(): void {}
  terminate(): void {}
}
