/** Runs a function in worker threads. */
import { createRequire } from 'node:module';
import { extname, join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { explainFileError } from '@pyramidal/files';

/** An asynchronous function that threads can run: they load its module and call its export of this name. */
export interface ThreadFunction<Args extends readonly unknown[], Result> {
  /** Absolute path of its CommonJS module, `__filename` there. */
  readonly file: string;
  readonly name: string;
  /** The function itself; its arguments and its result can be cloned. */
  readonly run: (...args: Args) => Promise<Result>;
}

/** What the main thread sends: a call, or the wish to leave one out that has not begun. */
export type ThreadRequest = { readonly id: number; readonly args: readonly unknown[] } | { readonly cancel: number };

/** What a thread answers to a call. */
export type ThreadReply =
  | { readonly id: number; readonly result: unknown }
  | { readonly id: number; readonly error: { readonly name: string; readonly message: string } };

interface Job<Result> {
  readonly resolve: (result: Result) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Runs one function in worker threads. Calls are handed out at once, to the thread that has the fewest, so that threads go on while the main
 * thread is busy with a training step. The process stays alive while a call is open or the pool closes, and no longer.
 */
export class WorkerPool<Args extends readonly unknown[], Result> {
  private readonly workers: PoolWorker<Result>[];
  private closed = false;
  private isFirst: boolean;

  /**
   * @param threads 0 runs the function in the calling thread.
   * @param firstHere runs the first call in the calling thread too: it has its answer before a thread would have begun.
   */
  constructor(
    private readonly task: ThreadFunction<Args, Result>,
    threads: number,
    { firstHere = false }: { readonly firstHere?: boolean } = {},
  ) {
    this.isFirst = firstHere;
    this.workers = Array.from({ length: threads }, () => new PoolWorker(task));
  }

  /**
   * Calls the function.
   * @param signal ends the wait; a call that has not begun is left out.
   * @throws what the function throws, with its name, message and properties; Error if the thread ends before it answers.
   */
  async run(args: Args, signal?: AbortSignal): Promise<Result> {
    if (this.closed) throw new Error('WorkerPool: the pool is closed');
    signal?.throwIfAborted();
    const isHere = this.workers.length === 0 || this.isFirst;
    this.isFirst = false;
    if (isHere) return this.task.run(...args);
    const idlest = this.workers.reduce((a, b) => (b.load < a.load ? b : a));
    return whileAlive(idlest.run(args, signal));
  }

  /** Ends the threads; calls that have no answer yet fail. */
  async close(): Promise<void> {
    this.closed = true;
    await whileAlive(Promise.all(this.workers.map((worker) => worker.close())));
  }
}

/** One thread, started by its first call. It never keeps the process alive by itself: each call and the closing do, for their own time. */
class PoolWorker<Result> {
  private readonly jobs = new Map<number, Job<Result>>();
  private thread: Worker | undefined;
  private lastId = 0;

  constructor(private readonly task: Pick<ThreadFunction<never, Result>, 'file' | 'name'>) {}

  get load(): number {
    return this.jobs.size;
  }

  run(args: readonly unknown[], signal: AbortSignal | undefined): Promise<Result> {
    this.thread ??= this.start();
    const id = ++this.lastId;
    this.send({ id, args });
    const cancel = () => {
      this.send({ cancel: id });
      this.take(id)?.reject(signal!.reason);
    };
    signal?.addEventListener('abort', cancel, { once: true });
    const result = new Promise<Result>((resolve, reject) => this.jobs.set(id, { resolve, reject }));
    return result.finally(() => signal?.removeEventListener('abort', cancel));
  }

  async close(): Promise<void> {
    this.fail(new Error('WorkerPool: the pool was closed'));
    await this.thread?.terminate();
  }

  private send(request: ThreadRequest): void {
    this.thread?.postMessage(request);
  }

  private start(): Worker {
    const { file, name } = this.task;
    const thread = startThread({ file, name });
    thread.unref();
    thread.on('message', (reply: ThreadReply) => {
      const job = this.take(reply.id);
      if ('error' in reply) job?.reject(Object.assign(new Error(reply.error.message), reply.error));
      else job?.resolve(reply.result as Result);
    });
    thread.on('error', (error: Error) => this.fail(new Error(`worker ${file} stopped: ${explainFileError(error)}`)));
    thread.on('exit', (code) => {
      if (this.thread === thread) this.thread = undefined;
      this.fail(new Error(`worker ${file} ended with code ${code}`));
    });
    return thread;
  }

  private take(id: number): Job<Result> | undefined {
    const job = this.jobs.get(id);
    this.jobs.delete(id);
    return job;
  }

  private fail(error: Error): void {
    for (const job of this.jobs.values()) job.reject(error);
    this.jobs.clear();
  }
}

/** Keeps the process alive until the promise settles; nothing else can end that. */
async function whileAlive<T>(promise: Promise<T>): Promise<T> {
  const hold = setInterval(() => undefined, 2 ** 30);
  try {
    return await promise;
  } finally {
    clearInterval(hold);
  }
}

/** What threads make lies outside of JavaScript's heap: young objects need a few megabytes in each, where Node would take 48. */
const LIMITS = { maxYoungGenerationSizeMb: 12 };

/** Inside the workspace the TypeScript sources run as they are. */
function startThread(workerData: Pick<ThreadFunction<never, unknown>, 'file' | 'name'>): Worker {
  const entry = join(__dirname, `thread${extname(__filename)}`);
  if (!entry.endsWith('.ts') && !workerData.file.endsWith('.ts'))
    return new Worker(entry, { workerData, resourceLimits: LIMITS });
  const tsx = createRequire(__filename).resolve('tsx/cjs');
  const start = `require(${JSON.stringify(tsx)}); require(${JSON.stringify(entry)});`;
  const execArgv = ['--conditions=@pyramidal/source'];
  return new Worker(start, { eval: true, workerData, execArgv, resourceLimits: LIMITS });
}
