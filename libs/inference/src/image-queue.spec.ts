import { BrokenImageError } from '@pyramidal/images';
import { ClosedError } from './closed-error';
import { ImageQueue, type ImageWork } from './image-queue';
import { collectImages, streamImages } from './image-stream';

const pause = (milliseconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, milliseconds));

interface Length {
  readonly length: number;
}

/** Measures names; those that begin with `x` are broken, and those of one length share a batch. */
class Measuring implements ImageWork<string, Length> {
  readonly batches: string[][] = [];
  closed = 0;
  prepared = 0;
  private running = 0;

  constructor(private readonly milliseconds = 1) {}

  async prepare(image: unknown, name: string): Promise<string> {
    this.prepared++;
    await pause(1);
    if (name.startsWith('x')) throw new BrokenImageError(name, 'no picture');
    return String(image);
  }

  keyOf(prepared: string): string {
    return String(prepared.length);
  }

  async run(batch: readonly string[]): Promise<Length[]> {
    expect(++this.running).toBe(1);
    this.batches.push([...batch]);
    await pause(this.milliseconds);
    this.running--;
    if (batch.includes('fail')) throw new Error('the engine is gone');
    return batch.map(({ length }) => ({ length }));
  }

  async close(): Promise<void> {
    this.closed++;
  }
}

const queueOf = (work: Measuring, batchSize = 4) => {
  const release = jest.fn();
  return { queue: new ImageQueue(work, { batchSize, release }), release };
};
const names = (count: number, length = 3): string[] =>
  Array.from({ length: count }, (_, i) => String(i).padStart(length, '0'));

describe('ImageQueue', () => {
  it('runs images of many callers together, those that are alike, up to the size of a batch', async () => {
    const work = new Measuring();
    const { queue } = queueOf(work);
    const results = await Promise.all([...names(4), ...names(2, 5)].map((name) => queue.run(name, name)));
    expect(results.map(({ length }) => length)).toEqual([3, 3, 3, 3, 5, 5]);
    expect(work.batches).toEqual([names(4), names(2, 5)]);
  });

  it('takes an image alone at once, and as many of those that wait as a power of two', async () => {
    const work = new Measuring(30);
    const { queue } = queueOf(work, 8);
    const first = queue.run('abc', 'abc');
    await pause(15);
    await Promise.all([first, ...names(7).map((name) => queue.run(name, name))]);
    expect(work.batches.map(({ length }) => length)).toEqual([1, 4, 2, 1]);
  });

  it('lets a broken image harm itself alone, and a batch that fails its own images', async () => {
    const work = new Measuring();
    const { queue } = queueOf(work);
    const results = await Promise.allSettled(
      ['abc', 'xyz', 'def', 'fail', 'gone'].map((name) => queue.run(name, name)),
    );
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled', 'rejected', 'rejected']);
    expect(results[1]).toMatchObject({ reason: new BrokenImageError('xyz', 'no picture') });
    expect(results[3]).toMatchObject({ reason: { message: 'the engine is gone' } });
    expect(await queue.run('abcd', 'abcd')).toEqual({ length: 4 });
  });

  it('holds three batches at most, however many images come', async () => {
    const work = new Measuring(20);
    const { queue } = queueOf(work, 2);
    const all = Promise.all(names(40).map((name) => queue.run(name, name)));
    await pause(10);
    expect(work.prepared).toBeLessThanOrEqual(queue.capacity);
    expect(queue.capacity).toBe(6);
    expect(await all).toHaveLength(40);
  });

  it('leaves out what waits when its signal aborts, and nothing else', async () => {
    const work = new Measuring(20);
    const { queue } = queueOf(work, 1);
    const stop = new AbortController();
    const kept = queue.run('abc', 'abc');
    const left = names(10).map((name) => queue.run(name, name, stop.signal));
    await pause(5);
    stop.abort(new Error('enough'));
    const results = await Promise.allSettled(left);
    expect(results.every((one) => one.status === 'rejected' && one.reason.message === 'enough')).toBe(true);
    expect(await kept).toEqual({ length: 3 });
    expect(work.batches.length).toBeLessThanOrEqual(2);
    await expect(queue.run('abc', 'abc', stop.signal)).rejects.toThrow('enough');
  });

  it('finishes what it took when it is closed, takes nothing more, and frees everything once', async () => {
    const work = new Measuring(10);
    const { queue, release } = queueOf(work, 2);
    const taken = Promise.all(names(10).map((name) => queue.run(name, name)));
    const closing = [queue.close(), queue.close()];
    await expect(queue.run('abc', 'abc')).rejects.toThrow(ClosedError);
    expect(work.closed).toBe(0);
    expect(await taken).toHaveLength(10);
    await Promise.all(closing);
    expect(work.closed).toBe(1);
    expect(release).toHaveBeenCalledTimes(1);
  });
});

describe('streamImages', () => {
  it('gives the results in the order of the images, with each and its place', async () => {
    const { queue } = queueOf(new Measuring());
    const images = ['abc', 'defgh', 'ijk', 'lmnop'];
    const found = await collectImages(queue, images);
    expect(found).toEqual(images.map((image, index) => ({ image, index, length: image.length })));
  });

  it('reads no more ahead of its reader than the queue holds', async () => {
    let read = 0;
    function* endless() {
      for (; ; read++) yield 'abc';
    }
    const { queue } = queueOf(new Measuring(), 2);
    for await (const { index } of streamImages(queue, endless())) {
      await pause(5);
      expect(read).toBeLessThanOrEqual(index + queue.capacity + 2);
      if (index === 20) break;
    }
    await queue.close();
  });

  it('gives a result while its source still waits for the next image', async () => {
    let release = (): void => undefined;
    async function* camera() {
      yield 'abc';
      await new Promise<void>((resolve) => (release = resolve));
      yield 'defg';
    }
    const { queue } = queueOf(new Measuring());
    const lengths: number[] = [];
    for await (const { length } of streamImages(queue, camera())) {
      lengths.push(length);
      release();
    }
    expect(lengths).toEqual([3, 4]);
  });

  it('ends with a broken image, or tells of it and goes on', async () => {
    const { queue } = queueOf(new Measuring());
    const images = ['abc', 'xyz', 'def'];
    await expect(collectImages(queue, images)).rejects.toThrow(new BrokenImageError('xyz', 'no picture'));
    const told: unknown[] = [];
    const onBroken = ({ image }: BrokenImageError, index: number) => told.push([image, index]);
    const found: number[] = [];
    for await (const { index } of streamImages(queue, images, { onBroken })) found.push(index);
    expect(found).toEqual([0, 2]);
    expect(told).toEqual([['xyz', 1]]);
  });

  it('ends with the reason of a signal, also while its source waits', async () => {
    const { queue } = queueOf(new Measuring());
    const stop = new AbortController();
    async function* stuck() {
      yield 'abc';
      await new Promise(() => undefined);
    }
    const all = collectImages(queue, stuck(), { signal: stop.signal });
    setTimeout(() => stop.abort(new Error('enough')), 20);
    await expect(all).rejects.toThrow('enough');
    await queue.close();
  });

  it('gives nothing for no images, and fails as its source does', async () => {
    const { queue } = queueOf(new Measuring());
    expect(await collectImages(queue, [])).toEqual([]);
    const failing = (function* () {
      yield 'abc';
      throw new Error('no such folder');
    })();
    await expect(collectImages(queue, failing)).rejects.toThrow('no such folder');
  });
});
