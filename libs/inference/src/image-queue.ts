/** Images on their way through a network: of any number of callers, in batches, with bounded memory. */
import type { ImageSource } from '@pyramidal/images';
import { ClosedError } from './closed-error';
import { Places } from './places';

/** What a task does with an image. */
export interface ImageWork<Prepared, Result> {
  /** Images that it takes at once; as many as the caller allows where absent. */
  readonly largestBatch?: number;
  /** Reads an image and makes it ready for the network. @param name what errors call it. @throws BrokenImageError */
  prepare(image: ImageSource, name: string): Promise<Prepared>;
  /** Those that are alike share a batch. */
  keyOf(prepared: Prepared): string;
  /**
   * Runs the network on images of one key.
   * @returns what was found in each, in their order; what is still a promise then needs the network no more.
   */
  run(batch: readonly Prepared[]): Promise<readonly (Result | Promise<Result>)[]>;
  /** Frees what the work itself holds. */
  close(): Promise<void>;
}

export interface QueueOptions {
  /** Images of one batch at most. */
  readonly batchSize: number;
  /** Frees what the work stands on, after it is closed. */
  readonly release: () => void;
}

/** How long an image that is ready waits for others which are on their way, in milliseconds. */
const PATIENCE = 5;

/** Batches whose images are in memory: one in the network, and those that are made ready meanwhile. */
const BATCHES_IN_WORK = 3;

interface Ready<Prepared, Result> {
  readonly prepared: Prepared;
  readonly key: string;
  readonly since: number;
  resolve(result: Result | Promise<Result>): void;
  reject(error: unknown): void;
}

/** Takes images from any caller at any time and runs the network on one batch at a time. */
export class ImageQueue<Prepared, Result> {
  private readonly batchSize: number;
  private readonly places: Places;
  private readonly ready = new Set<Ready<Prepared, Result>>();
  /** Images that are read and made ready just now. */
  private underway = 0;
  private isRunning = false;
  private timer: NodeJS.Timeout | undefined;
  private readonly taken = new Set<Promise<Result>>();
  private closing: Promise<void> | undefined;

  constructor(
    private readonly work: ImageWork<Prepared, Result>,
    private readonly options: QueueOptions,
  ) {
    this.batchSize = Math.min(options.batchSize, work.largestBatch ?? Infinity);
    this.places = new Places(BATCHES_IN_WORK * this.batchSize);
  }

  /** Images that may be in work at the same time. */
  get capacity(): number {
    return this.places.count;
  }

  /**
   * What the network finds in one image.
   * @param name what errors call it.
   * @throws BrokenImageError if it cannot be read, which harms no other; ClosedError after `close`; the signal's reason if it
   * aborts.
   */
  async run(image: ImageSource, name: string, signal?: AbortSignal): Promise<Result> {
    signal?.throwIfAborted();
    if (this.closing !== undefined) throw new ClosedError();
    const result = this.places.use(() => this.process(image, name, signal), signal);
    this.taken.add(result);
    try {
      return await result;
    } finally {
      this.taken.delete(result);
    }
  }

  /** Finishes what it took, takes nothing more, and frees all that it holds. */
  close(): Promise<void> {
    this.closing ??= this.finish();
    return this.closing;
  }

  private async finish(): Promise<void> {
    await Promise.allSettled(this.taken);
    await this.work.close();
    this.options.release();
  }

  private async process(image: ImageSource, name: string, signal: AbortSignal | undefined): Promise<Result> {
    const prepared = await this.prepare(image, name);
    signal?.throwIfAborted();
    return new Promise((resolve, reject) => {
      const leave = (): void => {
        this.ready.delete(item);
        reject(signal!.reason);
      };
      const settle =
        <Value>(done: (value: Value) => void) =>
        (value: Value): void => {
          signal?.removeEventListener('abort', leave);
          done(value);
        };
      const key = this.work.keyOf(prepared);
      const item = { prepared, key, since: performance.now(), resolve: settle(resolve), reject: settle(reject) };
      signal?.addEventListener('abort', leave, { once: true });
      this.ready.add(item);
      this.runNext();
    });
  }

  private async prepare(image: ImageSource, name: string): Promise<Prepared> {
    this.underway++;
    try {
      return await this.work.prepare(image, name);
    } finally {
      this.underway--;
      // Nothing is left to wait for, perhaps: the ready ones may begin, after this one is among them.
      setImmediate(() => this.runNext());
    }
  }

  /** Begins a batch of the image that waits longest, if it is full or nothing is worth waiting for. */
  private runNext(): void {
    const [oldest] = this.ready;
    if (oldest === undefined || this.isRunning) return;
    const alike = [...this.ready].filter(({ key }) => key === oldest.key);
    const left = oldest.since + PATIENCE - performance.now();
    if (alike.length < this.batchSize && this.underway > 0 && left > 0) {
      this.timer ??= setTimeout(() => {
        this.timer = undefined;
        this.runNext();
      }, Math.ceil(left));
      return;
    }
    void this.runBatch(alike.slice(0, batchLength(alike.length, this.batchSize)));
  }

  private async runBatch(batch: readonly Ready<Prepared, Result>[]): Promise<void> {
    this.isRunning = true;
    for (const item of batch) this.ready.delete(item);
    try {
      const results = await this.work.run(batch.map(({ prepared }) => prepared));
      batch.forEach((item, i) => item.resolve(results[i]!));
    } catch (error) {
      for (const item of batch) item.reject(error);
    }
    // The engine kept this thread busy: images that became ready meanwhile are still to be heard of.
    setImmediate(() => {
      this.isRunning = false;
      this.runNext();
    });
  }
}

/** Full, or the largest power of two: a network has few sizes of batches, each of which may be worth a graph. */
function batchLength(waiting: number, full: number): number {
  return waiting >= full ? full : 2 ** Math.floor(Math.log2(waiting));
}
