import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import { IMAGENET_NORMALISATION as normalisation, decodeImage, restoreImage } from '@pyramidal/images';
import sharp from 'sharp';
import { parseRandAugment } from './augment/rand-augment';
import { openImageBatches, type ImageBatchesOptions } from './batches';
import { type ImageSample, openImageFolder, requireSplit } from './image-folder';
import type { TrainingTransform } from './transform';

const training: TrainingTransform = {
  kind: 'training',
  size: 16,
  conventions: ['pillow-bicubic', 'pillow-bilinear'],
  randAugment: parseRandAugment('rand-m9-mstd0.5-inc1'),
  normalisation,
  erasing: 0.25,
};

describe('openImageBatches', () => {
  let root: string;
  let samples: readonly ImageSample[];

  beforeAll(async () => {
    root = await mkdtemp(join(tmpdir(), 'batches-'));
    for (let i = 0; i < 10; i++) {
      const folder = join(root, 'train', `class-${i % 2}`);
      await mkdir(folder, { recursive: true });
      const background = { r: 20 * i, g: 255 - 20 * i, b: 90 };
      const noise = { type: 'gaussian', mean: 128, sigma: 40 } as const;
      const speckled = sharp({ create: { width: 40 + i, height: 30, channels: 3, background, noise } });
      await writeFile(join(folder, `${i}.png`), await speckled.png().toBuffer());
    }
    samples = requireSplit(await openImageFolder(root), 'train').samples;
  });
  afterAll(() => rm(root, { recursive: true }));

  async function collect(changes: Partial<ImageBatchesOptions>, range = {}) {
    const options = { samples, classes: 2, transform: training, batchSize: 4, seed: 9, shuffle: true, workers: 0 };
    const loader = openImageBatches({ ...options, ...changes });
    const batches = [];
    try {
      for await (const { images, targets, ...rest } of loader.batches(range)) {
        const pixels = Buffer.from(images.dataSync().slice().buffer).toString('base64');
        batches.push({ ...rest, shape: images.shape, pixels, targets: targets.arraySync() });
        tf.dispose([images, targets]);
      }
    } finally {
      await loader.close();
    }
    return { batches, broken: loader.broken };
  }

  it('gives images, one-hot targets and the samples behind them', async () => {
    const { batches } = await collect({ shuffle: false });
    expect(batches.map(({ shape }) => shape)).toEqual([
      [4, 16, 16, 3],
      [4, 16, 16, 3],
      [2, 16, 16, 3],
    ]);
    expect(batches.flatMap((batch) => batch.samples)).toEqual(samples);
    expect(batches[1]!.targets).toEqual([
      [1, 0],
      [0, 1],
      [0, 1],
      [0, 1],
    ]);
  });

  it('leaves pixels bytes where it is told to and nothing changes normalised values', async () => {
    const plain = { ...training, erasing: 0 };
    const [floats, packed] = [await collect({ transform: plain }), await collect({ transform: plain, bytes: true })];
    expect(packed.batches[0]!.shape).toEqual([4, 16, 12]);
    packed.batches.forEach(({ pixels, shape: [count = 0] }, i) => {
      const values = new Float32Array(Uint8Array.from(Buffer.from(floats.batches[i]!.pixels, 'base64')).buffer);
      const { data } = restoreImage(values, { width: 16, height: 16 * count }, normalisation);
      expect(Buffer.from(pixels, 'base64').equals(data)).toBe(true);
    });
    expect((await collect({ transform: plain, bytes: true, workers: 1 })).batches).toEqual(packed.batches);
    for (const changes of [{ transform: training }, { transform: plain, mix: { mixup: 0.8, cutmix: 0 } }]) {
      expect(await collect({ ...changes, bytes: true })).toEqual(await collect(changes));
    }
  });

  it('gives the same numbers from worker threads, and after resuming', async () => {
    const mix = { mixup: 0.8, cutmix: 1 };
    const { batches } = await collect({ mix }, { untilEpoch: 2 });
    const threaded = await collect({ mix, workers: 2 }, { untilEpoch: 2 });
    expect(threaded.batches).toEqual(batches);
    const resumed = await collect({ mix }, { epoch: 1, batch: 1, untilEpoch: 2 });
    expect(resumed.batches).toEqual(batches.slice(4));
    for (const row of batches.flatMap(({ targets }) => targets)) expect(row[0]! + row[1]!).toBeCloseTo(1, 5);
    expect(batches.flatMap(({ targets }) => targets.flat()).some((value) => value > 0.01 && value < 0.99)).toBe(true);
  });

  it('shows each image three times in other crops, the same from threads and after resuming', async () => {
    const { batches } = await collect({ repeats: 3, batchSize: 3, lastBatch: 'drop' }, { untilEpoch: 2 });
    expect(batches).toHaveLength(6);
    for (const {
      samples: [first, ...others],
      pixels,
    } of batches) {
      expect(others).toEqual([first, first]);
      const [a, b, c] = [0, 1, 2].map((i) => pixels.slice(i * (pixels.length / 3), (i + 1) * (pixels.length / 3)));
      expect(new Set([a, b, c]).size).toBe(3);
    }
    const threaded = await collect({ repeats: 3, batchSize: 3, lastBatch: 'drop', workers: 2 }, { untilEpoch: 2 });
    expect(threaded.batches).toEqual(batches);
    const resumed = await collect(
      { repeats: 3, batchSize: 3, lastBatch: 'drop' },
      { epoch: 1, batch: 1, untilEpoch: 2 },
    );
    expect(resumed.batches).toEqual(batches.slice(4));
  });

  it('validates on the centre of each image', async () => {
    const transform = { kind: 'validation', size: 24, cropPct: 0.8, normalisation } as const;
    const { batches } = await collect({ transform, shuffle: false, batchSize: 1 });
    const values = new Float32Array(Uint8Array.from(Buffer.from(batches[0]!.pixels, 'base64')).buffer);
    const file = samples[0]!.file;
    expect(await decodeImage(file)).toMatchObject({ width: 40, height: 30 });
    // 40x30 is what the shorter side of 30 asks for: the crop is the stored pixels, from (8, 3) on.
    const { data } = await decodeImage(file);
    for (const [x, y] of [
      [0, 0],
      [23, 0],
      [7, 23],
    ] as const) {
      const value = data[((y + 3) * 40 + x + 8) * 3]!;
      expect(values[(y * 24 + x) * 3]).toBeCloseTo((value - 123.675) / 58.395, 5);
    }
  });

  it.each([0, 1])('skips a broken image by name, or fails (%d workers)', async (workers) => {
    const file = join(root, 'broken.jpg');
    await writeFile(file, 'not an image');
    const withBroken = [...samples.slice(0, 3), { file, label: 1 }];
    const { batches, broken } = await collect({ samples: withBroken, onBroken: 'skip', workers, shuffle: false });
    expect(batches[0]!.samples).toEqual(samples.slice(0, 3));
    expect(batches[0]!.shape).toEqual([3, 16, 16, 3]);
    expect([...broken]).toEqual([[file, expect.stringContaining('received another format')]]);
    await expect(collect({ samples: withBroken, workers })).rejects.toThrow('broken.jpg: cannot be decoded');
  });

  it('leaves no tensors behind when left early', async () => {
    const before = tf.memory().numTensors;
    const loader = openImageBatches({
      samples,
      classes: 2,
      transform: training,
      batchSize: 2,
      seed: 1,
      shuffle: true,
      workers: 1,
    });
    for await (const { images, targets } of loader.batches({ untilEpoch: 50 })) {
      tf.dispose([images, targets]);
      break;
    }
    await loader.close();
    expect(tf.memory().numTensors).toBe(before);
  });
});
