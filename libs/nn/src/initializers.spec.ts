/** Initial values: spread, bounds and fans. */
import { fanInUniform, fanOutNormal, normal, truncatedNormal } from './initializers';

const statistics = (values: Float32Array): { mean: number; std: number; max: number } => {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
  return { mean, std: Math.sqrt(variance), max: Math.max(...values.map(Math.abs)) };
};

describe('initializers', () => {
  it('normal has the given spread', () => {
    const { mean, std } = statistics(normal(0.5)([200, 200], 1));
    expect(Math.abs(mean)).toBeLessThan(0.01);
    expect(std).toBeCloseTo(0.5, 2);
  });

  it('truncatedNormal stays within two standard deviations', () => {
    const { std, max } = statistics(truncatedNormal(0.02)([200, 200], 1));
    expect(max).toBeLessThanOrEqual(0.04);
    // A standard normal cut at 2 has standard deviation 0.8796.
    expect(std).toBeCloseTo(0.02 * 0.8796, 3);
  });

  it('fanInUniform is bounded by the fan-in of the PyTorch shape', () => {
    const { max } = statistics(fanInUniform([64, 4, 3, 3], 1));
    expect(max).toBeLessThanOrEqual(1 / 6);
    expect(max).toBeGreaterThan(0.16);
  });

  it('fanOutNormal spreads by the outputs that one input reaches', () => {
    expect(statistics(fanOutNormal()([128, 50, 3, 3], 1)).std).toBeCloseTo(Math.sqrt(2 / (9 * 128)), 3);
    expect(statistics(fanOutNormal(2000)([2000, 1, 3, 3], 1)).std).toBeCloseTo(Math.sqrt(2 / 9), 2);
  });
});
