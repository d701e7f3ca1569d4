/** Batches read ahead and prepared in worker threads. */
export { Loader } from './loader';
export type { BatchPosition, BatchRange, LoadedBatch, LoaderOptions } from './loader';
export { openBatchSource, type BatchSource, type BatchSourceOptions } from './batch-source';
export { partOf, type SplitPart } from './split-part';
export { WorkerPool, type ThreadFunction } from './worker-pool';
