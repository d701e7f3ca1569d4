/** Items read ahead of their use, in batches. */
import { setMaxListeners } from 'node:events';
import type { BrokenImageError } from '@pyramidal/images';
import { Random, type Seed } from '@pyramidal/random';

/** Streams of random numbers that one run's seed gives. */
const ORDER = 0;
const SAMPLE = 1;
const BATCH = 2;

/** So many broken images one after the other mean that something else is wrong. */
const MAX_BROKEN_IN_A_ROW = 100;

export interface LoaderOptions<Item, Sample> {
  readonly items: readonly Item[];
  /**
   * Reads one item. Everything random in it must come from `seed`, so that a run can be repeated; `stopped` fires when it is no longer
   * wanted.
   */
  readonly load: (item: Item, seed: Seed, stopped: AbortSignal) => Promise<Sample>;
  readonly batchSize: number;
  readonly seed: number;
  /** A new order every epoch, or the order of `items`. */
  readonly shuffle: boolean;
  /**
   * An order of one's own in place of these two: the items of an epoch in lists that share no batch. Each epoch has the same number of
   * batches, and a sample's seed counts its place in its list.
   */
  readonly order?: (epoch: number) => readonly (readonly Item[])[];
  /** What happens to the last batch of an epoch if it is not full; 'keep' unless told. */
  readonly lastBatch?: 'keep' | 'drop';
  /**
   * A broken image ends the run ('fail', unless told), or is noted in `broken` and skipped: the next readable item of the epoch's order
   * takes its place, so that batches stay full, or the batch is one shorter, so that nothing counts twice.
   */
  readonly onBroken?: 'fail' | 'skip';
  /** Whether another item takes the place of a broken one; as `shuffle` unless told. */
  readonly replaceBroken?: boolean;
  /** Batches read ahead of the one in use; 2 unless told. */
  readonly prefetch?: number;
  /** Items read at the same time, which bounds the memory for decoded pictures; 8 unless told. */
  readonly concurrency?: number;
}

/** Where a batch stands in a run: with the seed, all that is needed to continue after it. */
export interface BatchPosition {
  readonly epoch: number;
  /** Number of the batch within its epoch, from 0. */
  readonly batch: number;
}

export interface LoadedBatch<Sample> extends BatchPosition {
  readonly samples: Sample[];
  /** Batches of the same list of items in the epoch, this one included. */
  readonly alike: number;
  /** For what is drawn once a batch, as mixup is. */
  readonly random: Random;
}

export interface BatchRange extends Partial<BatchPosition> {
  /** The epoch to stop before; one epoch unless told. */
  readonly untilEpoch?: number;
  readonly signal?: AbortSignal;
  /** What of the batches this process reads; all unless told. */
  readonly share?: BatchShare | undefined;
}

/** What one of several processes reads of batches that are the same for all: every `lanes`-th one, and of that a part. */
export interface BatchShare {
  /** Which batch of each `lanes` ones. */
  readonly lane: number;
  readonly lanes: number;
  /** Which of the equal parts of the batch. */
  readonly part: number;
  readonly parts: number;
}

const ALL: BatchShare = { lane: 0, lanes: 1, part: 0, parts: 1 };

/** Items that share batches, in their order, and the number that each one's random stream gets. */
interface Group<Item> {
  readonly items: readonly Item[];
  readonly streamOf: (place: number) => number;
  readonly batches: number;
}

/** Reads batches ahead of their use, in an order that the seed fixes whatever the timing. */
export class Loader<Item, Sample> {
  readonly batchesPerEpoch: number;
  /** Broken images met so far, by name, each with the reason. */
  readonly broken = new Map<string, string>();
  private readonly options: Required<Omit<LoaderOptions<Item, Sample>, 'order'>>;
  private readonly listsOf: LoaderOptions<Item, Sample>['order'];
  private latest: { epoch: number; groups: readonly Group<Item>[] } | undefined;

  constructor(options: LoaderOptions<Item, Sample>) {
    const { lastBatch = 'keep', onBroken = 'fail', prefetch = 2, concurrency = 8 } = options;
    const { replaceBroken = options.shuffle } = options;
    this.options = { ...options, lastBatch, onBroken, replaceBroken, prefetch, concurrency };
    this.listsOf = options.order;
    const { items, batchSize } = options;
    this.batchesPerEpoch = this.groupsOf(0).reduce((sum, { batches }) => sum + batches, 0);
    if (this.batchesPerEpoch === 0) {
      throw new RangeError(
        `Loader: expected at least ${lastBatch === 'drop' ? batchSize : 1} items, received ${items.length}`,
      );
    }
  }

  /**
   * Batches from a position on, across epochs. Leaving the loop early or aborting stops the reading; what was read ahead is let go.
   * @throws BrokenImageError with `onBroken: 'fail'`; the signal's reason if it aborts.
   */
  async *batches(range: BatchRange = {}): AsyncGenerator<LoadedBatch<Sample>, void, void> {
    const { epoch = 0, batch = 0, untilEpoch = epoch + 1, signal, share = ALL } = range;
    const end = untilEpoch * this.batchesPerEpoch;
    let next = epoch * this.batchesPerEpoch + batch + share.lane;
    const ahead: Promise<LoadedBatch<Sample>>[] = [];
    const stop = new AbortController();
    setMaxListeners(0, stop.signal);
    const slots = new Slots(this.options.concurrency, stop.signal);
    try {
      while (next < end || ahead.length > 0) {
        while (next < end && ahead.length <= this.options.prefetch) {
          const loading = this.loadBatch(next, share, slots);
          next += share.lanes;
          loading.catch(() => undefined); // reported when its turn comes
          ahead.push(loading);
        }
        const loaded = await unlessAborted(ahead[0]!, signal);
        ahead.shift();
        yield loaded;
      }
    } finally {
      stop.abort(new Error('Loader: reading was stopped'));
      await Promise.allSettled(ahead);
    }
  }

  private async loadBatch(number: number, { part, parts }: BatchShare, slots: Slots): Promise<LoadedBatch<Sample>> {
    const { batchSize, seed } = this.options;
    const epoch = Math.floor(number / this.batchesPerEpoch);
    const batch = number % this.batchesPerEpoch;
    const { group, first } = this.find(epoch, batch);
    const size = Math.min(batchSize, group.items.length - first);
    const places = Array.from({ length: size }, (_, i) => first + i);
    const own = places.slice((size * part) / parts, (size * (part + 1)) / parts);
    const loading = own.map((place) => slots.use(() => this.loadSample(epoch, group, place, slots.stopped)));
    try {
      const samples = (await Promise.all(loading)).filter((sample) => sample !== undefined);
      return { epoch, batch, samples, alike: group.batches, random: new Random([seed, BATCH, epoch, batch]) };
    } finally {
      await Promise.allSettled(loading);
    }
  }

  private async loadSample(
    epoch: number,
    { items, streamOf }: Group<Item>,
    wanted: number,
    stopped: AbortSignal,
  ): Promise<Sample | undefined> {
    const { load, seed, replaceBroken, onBroken } = this.options;
    for (let attempt = 0; attempt < MAX_BROKEN_IN_A_ROW; attempt++) {
      const place = (wanted + attempt) % items.length;
      try {
        return await load(items[place]!, [seed, SAMPLE, epoch, streamOf(place)], stopped);
      } catch (error) {
        if (onBroken === 'fail' || !isBrokenImage(error)) throw error;
        this.broken.set(error.image, error.reason);
        if (!replaceBroken) return undefined;
        if (this.broken.size >= items.length) break;
      }
    }
    const [image, reason] = [...this.broken].at(-1)!;
    throw new Error(
      `Loader: ${this.broken.size} of ${items.length} images are broken, the last one ${image}: ${reason}`,
    );
  }

  /** The group that a batch of an epoch belongs to, and the place of its first item there. */
  private find(epoch: number, batch: number): { group: Group<Item>; first: number } {
    let before = 0;
    for (const group of this.groupsOf(epoch)) {
      if (batch < before + group.batches) return { group, first: (batch - before) * this.options.batchSize };
      before += group.batches;
    }
    throw new RangeError(`Loader: expected ${this.batchesPerEpoch} batches in epoch ${epoch}, received ${before}`);
  }

  private groupsOf(epoch: number): readonly Group<Item>[] {
    if (this.latest?.epoch !== epoch) this.latest = { epoch, groups: this.drawGroups(epoch) };
    return this.latest.groups;
  }

  private drawGroups(epoch: number): readonly Group<Item>[] {
    const { items, seed, shuffle } = this.options;
    if (this.listsOf !== undefined) return this.listsOf(epoch).map((list) => this.groupOf(list, (place) => place));
    if (!shuffle) return [this.groupOf(items, (place) => place)];
    const order = new Random([seed, ORDER, epoch]).permutation(items.length);
    return [this.groupOf(Array.from(order, (index) => items[index]!), (place) => order[place]!)]; // prettier-ignore
  }

  private groupOf(items: readonly Item[], streamOf: Group<Item>['streamOf']): Group<Item> {
    const { lastBatch, batchSize } = this.options;
    const batches = items.length / batchSize;
    return { items, streamOf, batches: lastBatch === 'drop' ? Math.floor(batches) : Math.ceil(batches) };
  }
}

/** By name and not by class: the error may come from a worker thread. */
function isBrokenImage(error: unknown): error is BrokenImageError {
  return error instanceof Error && error.name === 'BrokenImageError';
}

/** Lets a fixed number of jobs run at a time, in the order of their coming; stopped, it starts no more. */
class Slots {
  private readonly waiting: (() => void)[] = [];

  constructor(
    private free: number,
    readonly stopped: AbortSignal,
  ) {}

  async use<T>(job: () => Promise<T>): Promise<T> {
    if (this.free > 0) this.free--;
    else await new Promise<void>((resolve) => this.waiting.push(resolve));
    try {
      this.stopped.throwIfAborted();
      return await job();
    } finally {
      const next = this.waiting.shift();
      if (next) next();
      else this.free++;
    }
  }
}

/** The promise, or the signal's reason if that comes first. */
async function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return promise;
  signal.throwIfAborted();
  let abort = () => {};
  const aborted = new Promise<never>((_, reject) => {
    abort = () => reject(signal.reason);
    signal.addEventListener('abort', abort, { once: true });
  });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}
