/** Seeded random numbers: the same for a seed, unrelated between seeds, of the right distribution. */
import { Random } from './random';

const draws = (seed: number[], count = 5) => {
  const random = new Random(seed);
  return Array.from({ length: count }, () => random.bits());
};

/** Mean and standard deviation of 20 000 draws. */
function moments(draw: (random: Random) => number) {
  const random = new Random([7]);
  const values = Array.from({ length: 20_000 }, () => draw(random));
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
  return { mean, deviation: Math.sqrt(variance) };
}

describe('Random', () => {
  it('gives the same numbers for the same seed, others for another', () => {
    expect(draws([1, 2, 3])).toEqual(draws([1, 2, 3]));
    const streams = [
      [1, 2, 3],
      [1, 3, 2],
      [2, 2, 3],
      [1, 2],
      [1, 2, 3, 0],
      [-1, 2, 3],
      [2 ** 32 + 1, 2, 3],
    ].map((seed) => draws(seed));
    expect(new Set(streams.map(String)).size).toBe(streams.length);
  });

  it('keeps neighbouring seeds unrelated', () => {
    const first = Array.from({ length: 4096 }, (_, i) => new Random([0, i]).uniform());
    const mean = first.reduce((sum, value) => sum + value, 0) / first.length;
    const lag = first.slice(1).reduce((sum, value, i) => sum + (value - 0.5) * (first[i]! - 0.5), 0) / first.length;
    expect(Math.abs(mean - 0.5)).toBeLessThan(0.02);
    expect(Math.abs(lag * 12)).toBeLessThan(0.06);
  });

  it.each<[string, (random: Random) => number, number, number]>([
    ['uniform(2, 4)', (random) => random.uniform(2, 4), 3, 2 / Math.sqrt(12)],
    ['integer(10)', (random) => random.integer(10), 4.5, Math.sqrt(99 / 12)],
    ['normal(3, 2)', (random) => random.normal(3, 2), 3, 2],
    ['beta(0.8)', (random) => random.beta(0.8), 0.5, Math.sqrt(1 / (4 * 2.6))],
    ['beta(2)', (random) => random.beta(2), 0.5, Math.sqrt(1 / 20)],
    ['chance(0.25)', (random) => Number(random.chance(0.25)), 0.25, Math.sqrt(0.25 * 0.75)],
  ])('%s has the mean and deviation of its distribution', (_, draw, mean, deviation) => {
    const found = moments(draw);
    expect(Math.abs(found.mean - mean)).toBeLessThan(0.03 * deviation);
    expect(found.deviation / deviation).toBeCloseTo(1, 1);
  });

  it('permutes: every number once, in another order each time', () => {
    const random = new Random([5]);
    const [a, b] = [random.permutation(50), random.permutation(50)];
    expect([...a].sort((x, y) => x - y)).toEqual(Array.from({ length: 50 }, (_, i) => i));
    expect(a).not.toEqual(b);
  });
});
