/** The engine that the opened models of a process share: TensorFlow.js computes with one at a time. */
import { UsageError } from '@pyramidal/config';
import { openRuntime, type Runtime, type RuntimeOptions } from '@pyramidal/runtime';

interface Shared {
  readonly runtime: Promise<Runtime>;
  users: number;
}

let shared: Shared | undefined;

/** An engine until it is given back. */
export interface BorrowedEngine {
  readonly runtime: Runtime;
  giveBack(): void;
}

/**
 * Opens the engine for one more model, or lends the one that others use already.
 * @throws UsageError if they use another one than is asked for; RuntimeError if it cannot be opened.
 */
export async function borrowEngine(options: RuntimeOptions): Promise<BorrowedEngine> {
  shared ??= { runtime: openRuntime(options), users: 0 };
  const own = shared;
  own.users++;
  let isLent = true;
  const giveBack = (): void => {
    if (isLent && --own.users === 0 && shared === own) shared = undefined;
    isLent = false;
  };
  try {
    const runtime = await own.runtime;
    requireEngine(runtime, options);
    return { runtime, giveBack };
  } catch (error) {
    giveBack();
    throw error;
  }
}

function requireEngine(runtime: Runtime, { engine = 'auto' }: RuntimeOptions): void {
  if (engine === 'auto' || engine === runtime.engine) return;
  throw new UsageError(
    `engine: expected ${runtime.engine}, which other models of this process use, received ${engine}; close them first`,
  );
}
