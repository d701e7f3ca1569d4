import type { RgbImage } from '@pyramidal/images';
import { Random } from '@pyramidal/random';
import { colourJitter } from './colour-jitter';
import { mixBatch } from './mixup';
import { parseRandAugment, randAugment } from './rand-augment';
import { eraseRandomly } from './random-erasing';
import { randomResizedCrop } from './random-resized-crop';

/** Red grows with x, green with y, both from 0 to 255: a crop can be told from its corners. */
const ramp = (width: number, height: number): RgbImage => ({
  width,
  height,
  data: Uint8Array.from({ length: width * height * 3 }, (_, i) => {
    const [x, y] = [Math.floor(i / 3) % width, Math.floor(i / 3 / width)];
    return [(x / (width - 1)) * 255, (y / (height - 1)) * 255, 100][i % 3]!;
  }),
});
const many = <T>(count: number, make: (random: Random) => T) =>
  Array.from({ length: count }, (_, i) => make(new Random([11, i])));
const digest = ({ data }: RgbImage) => Buffer.from(data).toString('base64');
const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

describe('randomResizedCrop', () => {
  /** Width and height of the cropped part, as shares of the picture. */
  const spans = ({ data, width, height }: RgbImage) => {
    const last = (width * height - 1) * 3;
    return [(data[last]! - data[0]!) / 255, (data[last + 1]! - data[1]!) / 255] as const;
  };

  it('gives the size asked for, with areas and shapes over the whole range', () => {
    const image = ramp(160, 120);
    const crops = many(400, (random) => randomResizedCrop(image, { size: 32 }, random));
    for (const { width, height } of crops) expect([width, height]).toEqual([32, 32]);
    const areas = crops.map((crop) => spans(crop)).map(([x, y]) => x * y);
    expect(Math.min(...areas)).toBeLessThan(0.12);
    expect(Math.max(...areas)).toBeGreaterThan(0.85);
    // Uniform in [0.08, 1], less the draws of large areas that do not fit and are drawn again.
    expect(mean(areas)).toBeGreaterThan(0.4);
    expect(mean(areas)).toBeLessThan(0.56);
  });

  it('takes the largest centred part of a picture too narrow for any draw', () => {
    const [x, y] = spans(randomResizedCrop(ramp(300, 10), { size: 16, scale: [0.9, 1] }, new Random([1])));
    expect(x).toBeLessThan(0.06); // 13 of 300 columns
    expect(y).toBeGreaterThan(0.85);
  });

  it('takes a single pixel', () => {
    const pixel = { width: 1, height: 1, data: Uint8Array.of(9, 8, 7) };
    expect([...randomResizedCrop(pixel, { size: 2 }, new Random([2])).data]).toEqual([
      9, 8, 7, 9, 8, 7, 9, 8, 7, 9, 8, 7,
    ]);
  });
});

describe('randAugment', () => {
  const options = parseRandAugment('rand-m9-mstd0.5-inc1');

  it("reads timm's policies", () => {
    expect(options).toEqual({ magnitude: 9, magnitudeStd: 0.5, layers: 2, probability: 0.5, increasing: true });
    expect(parseRandAugment('rand-n3-p0.8')).toEqual({
      magnitude: 10,
      magnitudeStd: 0,
      layers: 3,
      probability: 0.8,
      increasing: false,
    });
    for (const wrong of ['augmix-m3', 'rand-x3', 'rand-m', 'm9']) {
      expect(() => parseRandAugment(wrong)).toThrow(`received '${wrong}'`);
    }
  });

  it('keeps the size, leaves the input alone and depends on the seed only', () => {
    const image = ramp(40, 30);
    const before = image.data.slice();
    for (const increasing of [true, false]) {
      const [first, second] = [1, 2].map(() =>
        many(60, (random) => randAugment(image, { ...options, increasing }, random)),
      );
      expect(first!.map(digest)).toEqual(second!.map(digest));
      for (const { data, width, height } of first!) expect([width, height, data.length]).toEqual([40, 30, 3600]);
      expect(new Set(first!.map(digest)).size).toBeGreaterThan(30);
    }
    expect(image.data).toEqual(before);
  });

  it('leaves about a quarter of the pictures alone: two operations, each done half the time', () => {
    const image = ramp(40, 30);
    const results = many(400, (random) => randAugment(image, options, random));
    const untouched = results.filter((result) => digest(result) === digest(image)).length;
    expect(untouched / 400).toBeGreaterThan(0.2);
    expect(untouched / 400).toBeLessThan(0.36);
  });
});

describe('colourJitter', () => {
  it('stays within the strength and turns both ways', () => {
    const grey = { width: 4, height: 4, data: new Uint8Array(48).fill(100) };
    const values = many(200, (random) => colourJitter(grey, 0.4, random).data[0]!);
    expect(Math.min(...values)).toBeGreaterThanOrEqual(59);
    expect(Math.max(...values)).toBeLessThanOrEqual(140);
    expect(mean(values)).toBeCloseTo(100, -1);
    expect(colourJitter(grey, 0, new Random([1])).data).toEqual(grey.data);
  });
});

describe('eraseRandomly', () => {
  const size = { width: 40, height: 30 };

  it('fills one rectangle of 2 to 33 % with normal noise', () => {
    const shares = many(300, (random) => {
      const pixels = new Float32Array(3600).fill(50);
      eraseRandomly(pixels, size, 1, random);
      const erased = [...pixels.entries()].filter(([, value]) => value !== 50);
      const columns = erased.map(([i]) => Math.floor(i / 3) % 40);
      const rows = erased.map(([i]) => Math.floor(i / 120));
      const box = (Math.max(...columns) - Math.min(...columns) + 1) * (Math.max(...rows) - Math.min(...rows) + 1);
      expect(erased).toHaveLength(box * 3);
      const values = erased.map(([, value]) => value);
      expect(Math.abs(mean(values))).toBeLessThan(6 / Math.sqrt(values.length));
      return box / 1200;
    });
    expect(Math.min(...shares)).toBeGreaterThan(0.01);
    expect(Math.max(...shares)).toBeLessThan(0.36);
    expect(mean(shares)).toBeCloseTo(0.17, 1);
  });

  it('happens as often as told', () => {
    const touched = many(400, (random) => {
      const pixels = new Float32Array(3600).fill(50);
      eraseRandomly(pixels, size, 0.25, random);
      return Number(pixels.some((value) => value !== 50));
    });
    expect(Math.abs(mean(touched) - 0.25)).toBeLessThan(0.07);
  });
});

describe('mixBatch', () => {
  const size = { width: 8, height: 6 };
  /** Image i holds the value i everywhere; its target is class i. */
  const batch = (count: number) => ({
    ...size,
    count,
    images: Float32Array.from({ length: count * 144 }, (_, i) => Math.floor(i / 144)),
    targets: Float32Array.from({ length: count * count }, (_, i) => Number(i % (count + 1) === 0)),
  });

  it('mixes image i with image N - 1 - i, and the targets by the same shares', () => {
    const { images, targets, count } = batch(4);
    mixBatch({ ...size, count, images, targets }, { mixup: 0.8, cutmix: 0 }, new Random([3]));
    const kept = targets[0]!;
    expect(kept).toBeGreaterThan(0);
    expect(kept).toBeLessThan(1);
    expect([...targets.subarray(0, 3)]).toEqual([kept, 0, 0]);
    expect(targets[3]).toBeCloseTo(1 - kept, 6);
    expect(images[0]).toBeCloseTo(3 * (1 - kept), 5);
    expect(images[3 * 144]).toBeCloseTo(3 * kept, 5);
    expect(images[144]).toBeCloseTo(1 * kept + 2 * (1 - kept), 5);
  });

  it('cuts a box out of the other image, whose share of the area is its share of the target', () => {
    for (const seed of [1, 2, 3, 4, 5, 6]) {
      const { images, targets, count } = batch(4);
      mixBatch({ ...size, count, images, targets }, { mixup: 0, cutmix: 1 }, new Random([seed]));
      const foreign = images.subarray(0, 144).filter((value) => value === 3).length;
      expect(images.subarray(0, 144).filter((value) => value === 0)).toHaveLength(144 - foreign);
      expect(targets[0]).toBeCloseTo(1 - foreign / 144, 6);
      expect(targets[3]).toBeCloseTo(foreign / 144, 6);
    }
  });

  it('switches between the two, half and half', () => {
    const cut = many(300, (random) => {
      const { images, targets, count } = batch(2);
      mixBatch({ ...size, count, images, targets }, { mixup: 0.8, cutmix: 1 }, random);
      return Number(images.every((value) => value === 0 || value === 1));
    });
    expect(Math.abs(mean(cut) - 0.5)).toBeLessThan(0.1);
  });

  it('leaves the odd one in the middle, and everything when it is off', () => {
    const odd = batch(3);
    mixBatch(odd, { mixup: 0.8, cutmix: 0 }, new Random([3]));
    expect(odd.images.subarray(144, 288)).toEqual(batch(3).images.subarray(144, 288));
    expect([...odd.targets.subarray(3, 6)]).toEqual([0, 1, 0]);
    const off = batch(4);
    mixBatch(off, { mixup: 0, cutmix: 0 }, new Random([3]));
    mixBatch(off, { mixup: 0.8, cutmix: 1, probability: 0 }, new Random([3]));
    expect(off).toEqual(batch(4));
  });
});
