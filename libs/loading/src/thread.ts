/** What each thread of a `WorkerPool` runs: loads the function and answers its calls. */
import { createRequire } from 'node:module';
import { parentPort, workerData } from 'node:worker_threads';
import { buffersOf } from './buffers';
import type { ThreadFunction, ThreadReply, ThreadRequest } from './worker-pool';

/** Calls that a thread works on at a time: one picture is decoded (in libvips' threads) while it works on another. */
const CALLS_AT_A_TIME = 2;

type Run = (...args: readonly unknown[]) => Promise<unknown>;

function serve(run: Run, answer: (reply: ThreadReply, transfer: readonly ArrayBuffer[]) => void) {
  const waiting = new Map<number, readonly unknown[]>();
  let running = 0;
  const startNext = () => {
    while (running < CALLS_AT_A_TIME && waiting.size > 0) {
      const [id, args] = waiting.entries().next().value!;
      waiting.delete(id);
      running++;
      void call(id, args).finally(() => {
        running--;
        startNext();
      });
    }
  };
  const call = async (id: number, args: readonly unknown[]) => {
    try {
      const result = await run(...args);
      answer({ id, result }, buffersOf(result));
    } catch (error) {
      answer({ id, error: describeError(error) }, []);
    }
  };
  return (request: ThreadRequest) => {
    if ('cancel' in request) waiting.delete(request.cancel);
    else waiting.set(request.id, request.args);
    startNext();
  };
}

/** An error's name, message, stack and own properties of plain values, which are all that a message can carry. */
function describeError(error: unknown): { name: string; message: string } {
  if (!(error instanceof Error)) return { name: 'Error', message: String(error) };
  const plain = Object.entries(error).filter(([, value]) => value === null || typeof value !== 'object');
  const cloneable = plain.filter(([, value]) => typeof value !== 'function' && typeof value !== 'symbol');
  const { name, message, stack } = error;
  return { ...Object.fromEntries(cloneable), name, message, ...(stack !== undefined && { stack }) };
}

function load({ file, name }: Pick<ThreadFunction<never, unknown>, 'file' | 'name'>): Run {
  const run = (createRequire(__filename)(file) as Record<string, unknown>)[name];
  if (typeof run === 'function') return run as Run;
  throw new TypeError(`expected a function exported as '${name}', received ${typeof run}`);
}

const port = parentPort!;
port.on(
  'message',
  serve(load(workerData), (reply, transfer) => port.postMessage(reply, transfer)),
);
