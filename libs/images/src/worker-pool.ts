import { createRequire } from 'node:module';
import { availableParallelism } from 'node:os';
import { Worker, isMainThread, parentPort, type Transferable } from 'node:worker_threads';

/** Tasks a worker holds at a time, so that it decodes one picture (in libvips' threads) while it works on another. */
const TASKS_PER_WORKER = 2;

interface Job<Task, Result> {
  readonly task: Task;
  readonly resolve: (result: Result) => void;
  readonly reject: (error: Error) => void;
}

type Reply<Result> = { id: number; result: Result } | { id: number; error: { name: string; message: string } };

/** Runs tasks in worker threads, first come first served. The worker's file calls `serveTasks`. */
export class WorkerPool<Task, Result> {
  private readonly workers: PoolWorker<Task, Result>[];
  private readonly queue: Job<Task, Result>[] = [];
  private closed = false;

  /** @param file absolute path of a CommonJS module; a `.ts` file runs through tsx. */
  constructor(file: string, threads = defaultThreads()) {
    const next = () => this.queue.shift();
    this.workers = Array.from({ length: threads }, () => new PoolWorker(file, next));
  }

  run(task: Task): Promise<Result> {
    if (this.closed) return Promise.reject(new Error('WorkerPool: the pool is closed'));
    return new Promise((resolve, reject) => {
      this.queue.push({ task, resolve, reject });
      const idlest = this.workers.reduce((a, b) => (b.load < a.load ? b : a));
      idlest.take();
    });
  }

  /** Ends the threads; tasks that have not finished fail. */
  async close(): Promise<void> {
    this.closed = true;
    const error = new Error('WorkerPool: the pool was closed');
    for (const job of this.queue.splice(0)) job.reject(error);
    await Promise.all(this.workers.map((worker) => worker.close(error)));
  }
}

export const defaultThreads = () => Math.min(availableParallelism(), 8);

/** One thread and the tasks it holds; it is started by its first task and keeps the process alive only while it has some. */
class PoolWorker<Task, Result> {
  private readonly jobs = new Map<number, Job<Task, Result>>();
  private thread: Worker | undefined;
  private lastId = 0;

  constructor(
    private readonly file: string,
    private readonly next: () => Job<Task, Result> | undefined,
  ) {}

  get load(): number {
    return this.jobs.size;
  }

  take(): void {
    while (this.jobs.size < TASKS_PER_WORKER) {
      const job = this.next();
      if (job === undefined) break;
      this.thread ??= this.start();
      this.thread.ref();
      this.jobs.set(++this.lastId, job);
      this.thread.postMessage({ id: this.lastId, task: job.task });
    }
    if (this.jobs.size === 0) this.thread?.unref();
  }

  async close(error: Error): Promise<void> {
    this.fail(error);
    await this.thread?.terminate();
  }

  private start(): Worker {
    const thread = this.file.endsWith('.ts') ? typescriptWorker(this.file) : new Worker(this.file);
    thread.on('message', (reply: Reply<Result>) => this.finish(reply));
    thread.on('error', (error: Error) => this.fail(new Error(`worker ${this.file} stopped: ${error.message}`)));
    thread.on('exit', (code) => {
      this.thread = undefined;
      this.fail(new Error(`worker ${this.file} ended with code ${code}`));
      this.take();
    });
    return thread;
  }

  private finish(reply: Reply<Result>): void {
    const job = this.jobs.get(reply.id);
    this.jobs.delete(reply.id);
    if ('error' in reply) job?.reject(Object.assign(new Error(reply.error.message), reply.error));
    else job?.resolve(reply.result);
    this.take();
  }

  private fail(error: Error): void {
    for (const job of this.jobs.values()) job.reject(error);
    this.jobs.clear();
  }
}

/** What a worker file calls: answers each task by `handle`'s result, whose `transfer` buffers move without a copy. */
export function serveTasks<Task, Result>(
  handle: (task: Task) => Promise<{ result: Result; transfer?: readonly Transferable[] }>,
): void {
  if (isMainThread || parentPort === null) return;
  const port = parentPort;
  port.on('message', async ({ id, task }: { id: number; task: Task }) => {
    try {
      const { result, transfer = [] } = await handle(task);
      port.postMessage({ id, result }, transfer);
    } catch (error) {
      const { name, message } = error as Error;
      port.postMessage({ id, error: { ...(error as object), name, message } });
    }
  });
}

/** Inside the workspace the sources run as they are. */
function typescriptWorker(file: string): Worker {
  const tsx = createRequire(__filename).resolve('tsx/cjs');
  const start = `require(${JSON.stringify(tsx)}); require(${JSON.stringify(file)});`;
  return new Worker(start, { eval: true, execArgv: ['--conditions=@pyramidal/source'] });
}
