/** The one way from items to batches: read ahead, prepared in worker threads, put together. */
import type { Seed } from '@pyramidal/random';
import { freeResults } from './buffers';
import { type BatchRange, type LoadedBatch, Loader, type LoaderOptions } from './loader';
import { type ThreadFunction, WorkerPool } from './worker-pool';

/** Samples prepared at the same time without threads. */
const IN_THIS_THREAD = 4;

export interface BatchSourceOptions<Item, Args extends readonly unknown[], Sample, Batch> extends Omit<
  LoaderOptions<Item, Sample>,
  'load' | 'concurrency'
> {
  /** Makes a sample of an item. */
  readonly prepare: ThreadFunction<Args, Sample>;
  /** What `prepare` is called with; everything random in it comes from `seed`. */
  readonly argumentsOf: (item: Item, seed: Seed) => Args;
  /** Makes a batch of at least one sample. */
  readonly collate: (loaded: LoadedBatch<Sample>) => Batch;
  /** Whether it copies what it takes of the samples' typed arrays: those that threads have made are freed then; false unless told. */
  readonly collateCopies?: boolean;
  /** Threads that prepare samples; 0 prepares them in this one. */
  readonly workers: number;
}

/** Batches in the order that a seed fixes. */
export interface BatchSource<Batch> {
  readonly batchesPerEpoch: number;
  /** Broken images met so far: file to reason. */
  readonly broken: ReadonlyMap<string, string>;
  /** Batches from a position on (see `Loader.batches`); those whose images are all broken are left out. */
  batches(range?: BatchRange): AsyncGenerator<Batch, void, void>;
  /** Ends the worker threads. */
  close(): Promise<void>;
}

/** @throws RangeError without items. */
export function openBatchSource<Item, Args extends readonly unknown[] | [], Sample, Batch>(
  options: BatchSourceOptions<Item, Args, Sample, Batch>,
): BatchSource<Batch> {
  const { prepare, argumentsOf, collate, collateCopies = false, workers, ...reading } = options;
  const pool = new WorkerPool(prepare, workers);
  const loader = new Loader<Item, Sample>({
    ...reading,
    // Threads hold themselves to two at a time and get their work early.
    concurrency: workers > 0 ? Infinity : IN_THIS_THREAD,
    load: (item, seed, stopped) => pool.run(argumentsOf(item, seed), stopped),
  });
  return {
    batchesPerEpoch: loader.batchesPerEpoch,
    broken: loader.broken,
    async *batches(range = {}) {
      for await (const loaded of loader.batches(range)) {
        if (loaded.samples.length === 0) continue;
        const batch = collate(loaded);
        if (collateCopies && workers > 0) freeResults(loaded.samples);
        yield batch;
      }
    },
    close: () => pool.close(),
  };
}
