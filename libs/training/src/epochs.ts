/** The batches of a run, epoch by epoch; the next epoch's first ones are read while the last update of an epoch runs. */
import * as tf from '@tensorflow/tfjs-core';
import type { TrainingData } from './train';
import type { Batch } from './train-step';

/** An epoch whose first batch is under way. */
interface Ahead<B> {
  readonly epoch: number;
  readonly batches: AsyncIterator<B>;
  first: Promise<IteratorResult<B>> | undefined;
}

/** Small data sets begin epochs often: a loader that starts only then has the engine wait for it. */
export class Epochs<B extends Batch> {
  private ahead: Ahead<B> | undefined;

  constructor(private readonly data: Pick<TrainingData<B>, 'epoch'>) {}

  /** The batches of an epoch from one on; `return` lets go of what was read and not taken. */
  open(epoch: number, firstBatch: number): AsyncIterator<B> & { return: () => Promise<IteratorResult<B>> } {
    const isRead = this.ahead?.epoch === epoch && firstBatch === 0;
    const opened = isRead ? this.ahead! : { epoch, batches: this.start(epoch, firstBatch), first: undefined };
    if (isRead) this.ahead = undefined;
    return {
      next: () => {
        const { first = opened.batches.next() } = opened;
        opened.first = undefined;
        return first;
      },
      return: async () => {
        await letGo(opened);
        return { done: true, value: undefined };
      },
    };
  }

  /** Begins to read an epoch that will be opened from its first batch on. */
  readAhead(epoch: number): void {
    const batches = this.start(epoch, 0);
    const first = batches.next();
    first.catch(() => undefined); // told when its turn comes
    this.ahead = { epoch, batches, first };
  }

  /** Lets go of what was read ahead. */
  async close(): Promise<void> {
    const { ahead } = this;
    this.ahead = undefined;
    if (ahead !== undefined) await letGo(ahead);
  }

  private start(epoch: number, firstBatch: number): AsyncIterator<B> {
    return this.data.epoch(epoch, firstBatch)[Symbol.asyncIterator]();
  }
}

async function letGo<B extends Batch>({ batches, first }: Ahead<B>): Promise<void> {
  const unusedOrFailed = await first?.catch(() => undefined);
  if (unusedOrFailed?.done === false) tf.dispose(unusedOrFailed.value);
  await batches.return?.();
}
