/**
 * Computes every case in a process of its own: `worker.ts JSON`, the task in JSON. Prints a line of JSON for each case, its
 * numbers or what went wrong.
 */
import { oneLine } from '@pyramidal/files';
import { openRuntime, type Engine } from '@pyramidal/runtime';
import type { Case, How, Numbers } from './case';
import { KERNEL_CASES, PRODUCT_CASES } from './kernels';
import { TRAINING_CASES } from './trainings';

const KERNELS_OF = { all: KERNEL_CASES, products: PRODUCT_CASES, everything: [...KERNEL_CASES, ...PRODUCT_CASES] };

export interface WorkerTask extends How {
  readonly engine: Engine;
  /** Half width changes products alone: other kernels are left out there. */
  readonly kernels: keyof typeof KERNELS_OF;
}

/** What a case gave; `error` in place of numbers where it failed. */
export interface CaseAnswer extends Pick<Case, 'kind' | 'name'> {
  readonly numbers?: Numbers;
  readonly error?: string;
  readonly ms: number;
}

async function main({ engine, kernels, ...how }: WorkerTask): Promise<void> {
  await openRuntime({ engine });
  for (const each of [...KERNELS_OF[kernels], ...TRAINING_CASES]) {
    console.log(JSON.stringify(await answerOf(each, how)));
  }
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

main(JSON.parse(process.argv[2]!) as WorkerTask).catch((error: unknown) => {
  console.error((error as Error).message);
  process.exitCode = 1;
});
