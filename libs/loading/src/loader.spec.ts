import { setTimeout as sleep } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { BrokenImageError } from '@pyramidal/images';
import { Random, type Seed } from '@pyramidal/random';
import { Loader, type LoaderOptions } from './loader';

const items = Array.from({ length: 10 }, (_, i) => i);
const seen = (seed: Seed) => new Random(seed).bits();

/** Loads an item's number with a random number from its seed, after a delay that has nothing to do with either. */
const options = (changes: Partial<LoaderOptions<number, string>> = {}): LoaderOptions<number, string> => ({
  items,
  load: async (item, seed) => {
    await sleep(Math.random() * 8);
    return `${item}:${seen(seed)}`;
  },
  batchSize: 4,
  seed: 5,
  shuffle: true,
  ...changes,
});

async function collect(loader: Loader<number, string>, range = {}) {
  const batches = [];
  for await (const { epoch, batch, samples, random } of loader.batches(range)) {
    batches.push({ epoch, batch, samples, drawn: random.bits() });
  }
  return batches;
}
const numbers = (batches: { samples: string[] }[]) =>
  batches.map(({ samples }) => samples.map((text) => Number.parseInt(text)));

describe('Loader', () => {
  it('reads every item once an epoch, in order without shuffling', async () => {
    const loader = new Loader(options({ shuffle: false }));
    expect(loader.batchesPerEpoch).toBe(3);
    expect(numbers(await collect(loader))).toEqual([
      [0, 1, 2, 3],
      [4, 5, 6, 7],
      [8, 9],
    ]);
  });

  it('gives the same batches whatever the timing and the depth of reading ahead', async () => {
    const runs = [
      await collect(new Loader(options()), { untilEpoch: 3 }),
      await collect(new Loader(options({ prefetch: 0, concurrency: 1 })), { untilEpoch: 3 }),
      await collect(new Loader(options({ prefetch: 7, concurrency: 99 })), { untilEpoch: 3 }),
    ];
    expect(runs[1]).toEqual(runs[0]);
    expect(runs[2]).toEqual(runs[0]);
  });

  it.each([
    [2, { lanes: 2, parts: 1 }],
    [2, { lanes: 1, parts: 2 }],
    [3, { lanes: 3, parts: 1 }],
    [4, { lanes: 2, parts: 2 }],
  ])('gives %i processes their shares of the same batches: %o', async (workers, { lanes, parts }) => {
    const whole = await collect(new Loader(options()), { epoch: 1 });
    const shares = await Promise.all(
      Array.from({ length: workers }, (_, worker) => {
        const share = { lane: Math.floor(worker / parts), lanes, part: worker % parts, parts };
        return collect(new Loader(options()), { epoch: 1, share });
      }),
    );
    const joined = whole.map(({ batch, ...others }) => {
      const parts = shares.flat().filter((one) => one.batch === batch);
      return { batch, ...others, samples: parts.flatMap(({ samples }) => samples) };
    });
    expect(joined).toEqual(whole);
    expect(shares.flat()).toHaveLength(parts * whole.length);
  });

  it('gives another order and other random numbers each epoch, all items each time', async () => {
    const batches = await collect(new Loader(options()), { untilEpoch: 2 });
    const [first, second] = [batches.slice(0, 3), batches.slice(3)];
    expect(numbers(first).flat()).not.toEqual(numbers(second).flat());
    for (const epoch of [first, second]) expect(numbers(epoch).flat().sort()).toEqual(items);
    expect(new Set(batches.flatMap(({ samples }) => samples)).size).toBe(20);
  });

  it('goes on from any position exactly as an uninterrupted run', async () => {
    const whole = await collect(new Loader(options()), { untilEpoch: 3 });
    const rest = await collect(new Loader(options()), { epoch: 1, batch: 2, untilEpoch: 3 });
    expect(rest).toEqual(whole.slice(5));
  });

  it('drops the last batch if told to', async () => {
    const loader = new Loader(options({ lastBatch: 'drop' }));
    expect(loader.batchesPerEpoch).toBe(2);
    expect(numbers(await collect(loader)).map(({ length }) => length)).toEqual([4, 4]);
    expect(() => new Loader(options({ lastBatch: 'drop', batchSize: 11 }))).toThrow(
      'expected at least 11 items, received 10',
    );
    expect(() => new Loader(options({ items: [] }))).toThrow('expected at least 1 items, received 0');
  });

  it('reads no further ahead than told, and no more items at a time', async () => {
    let [begun, now, most] = [0, 0, 0];
    const load = async () => {
      begun++;
      most = Math.max(most, ++now);
      await sleep(1);
      now--;
      return '';
    };
    const loader = new Loader({
      ...options({ prefetch: 1, concurrency: 3 }),
      items: Array.from({ length: 400 }, () => 0),
      load,
    });
    const batches = loader.batches();
    for (let used = 1; used <= 5; used++) {
      await batches.next();
      await sleep(20);
      expect(begun).toBe(4 * (used + 1));
    }
    expect(most).toBe(3);
    await batches.return();
  });
});

describe('Loader over a long epoch', () => {
  it('holds on to no batch that was used', async () => {
    setFlagsFromString('--expose-gc');
    const collectGarbage = runInNewContext('gc') as () => void;
    const load = async () => ({ pixels: new Float32Array(1000) });
    const loader = new Loader({ ...options(), items: Array.from({ length: 80 }, () => 0), load });
    const used: WeakRef<object>[] = [];
    for await (const { samples, batch } of loader.batches({ signal: new AbortController().signal })) {
      used.push(new WeakRef(samples[0]!));
      if (batch < 15) continue;
      await sleep(1);
      collectGarbage();
      expect(used.slice(0, 10).map((reference) => reference.deref())).toEqual(
        Array.from({ length: 10 }, () => undefined),
      );
    }
    expect(used).toHaveLength(20);
  });
});

describe('Loader stopped early', () => {
  it('starts nothing more and waits for what is under way', async () => {
    let [begun, ended] = [0, 0];
    const load = async () => {
      begun++;
      await sleep(5);
      ended++;
      return '';
    };
    const loader = new Loader({
      ...options({ concurrency: 2, prefetch: 3 }),
      items: Array.from({ length: 100 }, () => 0),
      load,
    });
    for await (const batch of loader.batches()) {
      expect(batch.samples).toHaveLength(4);
      break;
    }
    const atStop = begun;
    expect(ended).toBe(begun);
    expect(begun).toBeLessThan(16);
    await sleep(20);
    expect(begun).toBe(atStop);
  });

  it('ends at once when the signal fires, with its reason', async () => {
    const controller = new AbortController();
    const stops: boolean[] = [];
    const load = async (_: number, __: Seed, stopped: AbortSignal) => {
      await sleep(10_000, undefined, { signal: stopped }).catch(() => stops.push(stopped.aborted));
      return '';
    };
    const reading = collect(new Loader(options({ load })), { signal: controller.signal });
    const outcome = expect(reading).rejects.toThrow('stop now');
    setTimeout(() => controller.abort(new Error('stop now')), 5);
    await outcome;
    expect(stops.length).toBeGreaterThan(0);
    expect(stops).not.toContain(false);
  });
});

describe('Loader with broken images', () => {
  const broken = (...bad: number[]) => {
    const { load } = options();
    return async (...args: Parameters<typeof load>) => {
      if (bad.includes(args[0])) throw new BrokenImageError(`${args[0]}.jpg`, 'truncated');
      return load(...args);
    };
  };

  it('fails by the name of the image, unless told otherwise', async () => {
    await expect(collect(new Loader(options({ load: broken(6) })))).rejects.toThrow('6.jpg: truncated');
  });

  it('with shuffling, puts the next readable item in its place, batch for batch as resumed', async () => {
    const skipping = () => new Loader(options({ load: broken(2, 6), onBroken: 'skip' }));
    const loader = skipping();
    const batches = await collect(loader, { untilEpoch: 2 });
    expect(numbers(batches).map(({ length }) => length)).toEqual([4, 4, 2, 4, 4, 2]);
    expect(numbers(batches).flat()).not.toContain(2);
    const order = numbers(await collect(new Loader(options()))).flat();
    const expected = order.map((item, i) =>
      [item, ...order.slice(i + 1), ...order].find((next) => next !== 2 && next !== 6),
    );
    expect(numbers(batches.slice(0, 3)).flat()).toEqual(expected);
    expect([...loader.broken.keys()].sort()).toEqual(['2.jpg', '6.jpg']);
    expect(loader.broken.get('2.jpg')).toBe('truncated');
    expect(await collect(skipping(), { epoch: 1, batch: 1, untilEpoch: 2 })).toEqual(batches.slice(4));
  });

  it('in order, leaves it out, so that nothing counts twice', async () => {
    const loader = new Loader(options({ load: broken(2, 8, 9), onBroken: 'skip', shuffle: false }));
    expect(numbers(await collect(loader))).toEqual([[0, 1, 3], [4, 5, 6, 7], []]);
    expect(loader.broken.size).toBe(3);
  });

  it('gives up when every image is broken', async () => {
    const loader = new Loader(options({ load: broken(...items), onBroken: 'skip' }));
    await expect(collect(loader)).rejects.toThrow(/10 of 10 images are broken, the last one \d\.jpg: truncated/);
  });

  it('never takes another error for a broken image', async () => {
    const load = async () => Promise.reject(new TypeError('a mistake'));
    await expect(collect(new Loader(options({ load, onBroken: 'skip' })))).rejects.toThrow('a mistake');
  });
});

describe('Loader with an order of its own', () => {
  const order = (epoch: number) =>
    epoch % 2 === 0
      ? [
          [0, 1, 2],
          [7, 8],
        ]
      : [
          [7, 8],
          [2, 1, 0],
        ];

  it('fills no batch from two lists, says how many are alike, and goes on from any place', async () => {
    const loader = new Loader(options({ shuffle: false, order, batchSize: 2 }));
    expect(loader.batchesPerEpoch).toBe(3);
    const batches = await collect(loader, { untilEpoch: 2 });
    expect(numbers(batches)).toEqual([[0, 1], [2], [7, 8], [7, 8], [2, 1], [0]]);
    const alike: number[] = [];
    for await (const batch of loader.batches({ untilEpoch: 2 })) alike.push(batch.alike);
    expect(alike).toEqual([2, 2, 1, 1, 2, 2]);
    expect(await collect(loader, { epoch: 1, batch: 1, untilEpoch: 2 })).toEqual(batches.slice(4));
  });
});
