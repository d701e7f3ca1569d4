/** Repeat factors against their definition, and the images that they draw. */
import { Random } from '@pyramidal/random';
import type { DetectionSample } from './dataset';
import { orderByOrientation } from './order';
import { drawRepeated, repeatFactors } from './repeat-factors';

const sample = (id: number, ...labels: number[]): DetectionSample => ({
  ...{ id, file: `${id}.jpg`, width: id % 3 === 0 ? 30 : 40, height: 35, crowds: [] },
  objects: labels.map((label, i) => ({ id: 10 * id + i, label, box: [0, 0, 9, 9], segmentation: undefined })),
});

/** Category 0 is in every image, 1 in a quarter, 2 in one of 64. */
const samples = Array.from({ length: 64 }, (_, i) =>
  sample(i, 0, 0, ...(i % 4 === 0 ? [1] : []), ...(i === 5 ? [2] : [])),
);

it('is the square root of the threshold over the share of images, at least 1, of the rarest category', () => {
  const factors = repeatFactors(samples, 0.5);
  expect(factors[4]).toBeCloseTo(Math.sqrt(0.5 / 0.25), 12);
  expect(factors[5]).toBeCloseTo(Math.sqrt(0.5 * 64), 12);
  expect(factors[1]).toBe(1);
  expect(repeatFactors(samples, 0.001)).toEqual(samples.map(() => 1));
  expect(repeatFactors([sample(1)], 0.5)).toEqual([1]);
});

it('draws images as often as their factors say, always as many', () => {
  const factors = repeatFactors(samples, 0.5);
  const sum = factors.reduce((a, b) => a + b, 0);
  const counts = samples.map(() => 0);
  const epochs = 400;
  for (let epoch = 0; epoch < epochs; epoch++) {
    const drawn = drawRepeated(samples, factors, new Random([7, epoch]));
    expect(drawn).toHaveLength(Math.round(sum));
    const own = samples.map((one) => drawn.filter((other) => other === one).length);
    own.forEach((count, i) => {
      expect(Math.abs(count - factors[i]!)).toBeLessThan(1.1);
      counts[i]! += count;
    });
  }
  counts.forEach((count, i) => expect(count / epochs).toBeCloseTo((factors[i]! * Math.round(sum)) / sum, 0));
  expect(counts[4]! / epochs).toBeGreaterThan(1.3);
  expect(counts[4]! / epochs).toBeLessThan(1.55);
});

it('makes epochs of one length, in batches of one orientation, the same for the same seed', () => {
  const factors = repeatFactors(samples, 0.5);
  const order = (seed: number, epoch: number) => orderByOrientation(samples, { batchSize: 4, seed, factors }, epoch);
  const lengths = Array.from({ length: 20 }, (_, epoch) => order(1, epoch).length);
  expect(new Set(lengths).size).toBe(1);
  expect(order(1, 3)).toEqual(order(1, 3));
  expect(order(1, 3)).not.toEqual(order(1, 4));
  expect(order(1, 3).filter(({ id }) => id === 5).length).toBeGreaterThan(4);
  const isTall = ({ width, height }: DetectionSample): boolean => height > width;
  const epoch = order(2, 0);
  for (let start = 0; start < epoch.length; start += 4) {
    expect(new Set(epoch.slice(start, start + 4).map(isTall)).size).toBe(1);
  }
});
