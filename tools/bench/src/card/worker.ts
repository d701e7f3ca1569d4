/**
 * Computes every case in a process of its own: `worker.ts JSON`, the task in JSON. Prints a line of JSON for each case, its
 * numbers or what went wrong.
 */
import { oneLine } from '@pyramidal/files';
import { runProgram } from '@pyramidal/program';
import { openRuntime, type Engine } from '@pyramidal/runtime';
import type { Case, How, Numbers } from './case';
import { KERNEL_CASES, PRODUCT_CASES } from './kernels';
import { TRAINING_CASES } from './trainings';

const KERNELS_OF = { all: KERNEL_CASES, products: PRODUCT_CASES, everything: [...KERNEL_CASES, ...PRODUCT_CASES] };

export interface WorkerTask extends How {
  readonly engine: Engine;
  /** Half width changes products alone: other kernels are left out there. */
  readonly kernels: keyof typeof KERNELS_OF;
  /** Cases that were computed before. */
  readonly done: number;
}

/** What a case gave; `error` in place of numbers where it failed. */
export interface CaseAnswer extends Pick<Case, 'kind' | 'name'> {
  readonly numbers?: Numbers;
  readonly error?: string;
  readonly ms: number;
}

async function main({ engine, kernels, done, ...how }: WorkerTask): Promise<number> {
  await openRuntime({ engine });
  for (const each of [...KERNELS_OF[kernels], ...TRAINING_CASES].slice(done)) {
    const answer = await answerOf(each, how);
    console.log(JSON.stringify(answer));
    if (engine === 'webgpu' && answer.error !== undefined) break; // a device gives nothing after its first fault
  }
  return 0;
}

async function answerOf({ kind, name, run }: Case, how: How): Promise<CaseAnswer> {
  const start = performance.now();
  try {
    const numbers = await run(how);
    return { kind, name, numbers, ms: performance.now() - start };
  } catch (error) {
    return { kind, name, error: oneLine((error as Error).message), ms: performance.now() - start };
  }
}

// A process that waits for a device in vain would end half-way, with 0.
runProgram('the cases', ([task]) => main(JSON.parse(task!) as WorkerTask));
