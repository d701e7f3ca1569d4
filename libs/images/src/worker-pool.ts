import { createRequire } from 'node:module';
import { availableParallelism } from 'node:os';
import { type MessagePort, Worker, type Transferable, parentPort } from 'node:worker_threads';

/** Tasks that a worker has in work at a time: one picture is decoded (in libvips' threads) while it works on another. */
const TASKS_IN_WORK = 2;

type Request<Task> = { readonly id: number; readonly task: Task } | { readonly cancel: number };
type Reply<Result> =
  | { readonly id: number; readonly result: Result }
  | { readonly id: number; readonly error: { name: string; message: string } };

interface Job<Result> {
  readonly resolve: (result: Result) => void;
  readonly reject: (error: Error) => void;
}

/**
 * Runs tasks in worker threads. Tasks are handed out at once, to the thread that has the fewest, so that threads go on while the main
 * thread is busy with a training step. The worker's file calls `serveTasks`.
 */
export class WorkerPool<Task, Result> {
  private readonly workers: PoolWorker<Task, Result>[];
  private closed = false;

  /**
   * @param file absolute path of a CommonJS module; a `.ts` file runs through tsx.
   * @param threads as many as there are processors, up to 8, unless told.
   */
  constructor(file: string, threads = Math.min(availableParallelism(), 8)) {
    this.workers = Array.from({ length: threads }, () => new PoolWorker(file));
  }

  /** @param signal takes the task back if it is not done. */
  async run(task: Task, signal?: AbortSignal): Promise<Result> {
    if (this.closed) throw new Error('WorkerPool: the pool is closed');
    signal?.throwIfAborted();
    const idlest = this.workers.reduce((a, b) => (b.load < a.load ? b : a));
    return idlest.run(task, signal);
  }

  /** Ends the threads; tasks that have not finished fail. */
  async close(): Promise<void> {
    this.closed = true;
    await Promise.all(this.workers.map((worker) => worker.close()));
  }
}

/** One thread; it is started by its first task and keeps the process alive only while it has some. */
class PoolWorker<Task, Result> {
  private readonly jobs = new Map<number, Job<Result>>();
  private thread: Worker | undefined;
  private lastId = 0;

  constructor(private readonly file: string) {}

  get load(): number {
    return this.jobs.size;
  }

  run(task: Task, signal: AbortSignal | undefined): Promise<Result> {
    const thread = (this.thread ??= this.start());
    const id = ++this.lastId;
    thread.ref();
    thread.postMessage({ id, task } satisfies Request<Task>);
    const cancel = () => {
      this.thread?.postMessage({ cancel: id } satisfies Request<Task>);
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

  private start(): Worker {
    const thread = this.file.endsWith('.ts') ? typescriptWorker(this.file) : new Worker(this.file);
    thread.on('message', (reply: Reply<Result>) => {
      const job = this.take(reply.id);
      if ('error' in reply) job?.reject(Object.assign(new Error(reply.error.message), reply.error));
      else job?.resolve(reply.result);
    });
    thread.on('error', (error: Error) => this.fail(new Error(`worker ${this.file} stopped: ${error.message}`)));
    thread.on('exit', (code) => {
      this.thread = undefined;
      this.fail(new Error(`worker ${this.file} ended with code ${code}`));
    });
    return thread;
  }

  private take(id: number): Job<Result> | undefined {
    const job = this.jobs.get(id);
    this.jobs.delete(id);
    if (this.jobs.size === 0) this.thread?.unref();
    return job;
  }

  private fail(error: Error): void {
    for (const job of this.jobs.values()) job.reject(error);
    this.jobs.clear();
  }
}

/** Inside the workspace the sources run as they are. */
function typescriptWorker(file: string): Worker {
  const tsx = createRequire(__filename).resolve('tsx/cjs');
  const start = `require(${JSON.stringify(tsx)}); require(${JSON.stringify(file)});`;
  return new Worker(start, { eval: true, execArgv: ['--conditions=@pyramidal/source'] });
}

/** What a task gives back; the buffers of `transfer` move to the main thread without a copy. */
export interface TaskAnswer<Result> {
  readonly result: Result;
  readonly transfer?: readonly Transferable[];
}

/** What a worker file calls: answers each task by `handle`. In the main thread it does nothing. */
export function serveTasks<Task, Result>(handle: (task: Task) => Promise<TaskAnswer<Result>>): void {
  if (parentPort === null) return;
  const port = parentPort;
  const waiting = new Map<number, Task>();
  let inWork = 0;
  const work = () => {
    while (inWork < TASKS_IN_WORK && waiting.size > 0) {
      const [id, task] = waiting.entries().next().value!;
      waiting.delete(id);
      inWork++;
      void answer(port, id, handle(task)).finally(() => {
        inWork--;
        work();
      });
    }
  };
  port.on('message', (request: Request<Task>) => {
    if ('cancel' in request) waiting.delete(request.cancel);
    else waiting.set(request.id, request.task);
    work();
  });
}

async function answer<Result>(port: MessagePort, id: number, work: Promise<TaskAnswer<Result>>): Promise<void> {
  try {
    const { result, transfer = [] } = await work;
    port.postMessage({ id, result } satisfies Reply<Result>, transfer);
  } catch (error) {
    const { name, message } = error as Error;
    port.postMessage({ id, error: { ...(error as object), name, message } } satisfies Reply<Result>);
  }
}
