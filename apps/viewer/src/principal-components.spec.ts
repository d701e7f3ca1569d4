import { principalComponents } from './principal-components';

describe('principalComponents', () => {
  it('finds the directions of an ellipse', () => {
    // Four cells around (10, 20): 3 away along (0.6, 0.8), 1 away across it.
    const values = Float32Array.of(11.8, 22.4, 8.2, 17.6, 10.8, 19.4, 9.2, 20.6);
    const [first, second] = principalComponents(values, 2, 2);
    expect(Array.from(first!, Math.abs)).toEqual([3, 3, 0, 0].map((value) => expect.closeTo(value, 4)));
    expect(Array.from(second!, Math.abs)).toEqual([0, 0, 1, 1].map((value) => expect.closeTo(value, 4)));
    expect(first![0]! + first![1]!).toBeCloseTo(0, 4);
  });

  it('gives uncorrelated projections, the largest variance first', () => {
    const values = Float32Array.from({ length: 60 * 5 }, (_, i) => Math.sin(i * i) * [9, 5, 3, 2, 1][i % 5]!);
    const projections = principalComponents(values, 5, 3);
    const product = (a: Float32Array, b: Float32Array) => a.reduce((sum, value, i) => sum + value * b[i]!, 0);
    const [one, two, three] = projections.map((projection) => product(projection, projection));
    expect(one).toBeGreaterThan(two!);
    expect(two).toBeGreaterThan(three!);
    expect(Math.abs(product(projections[0]!, projections[1]!))).toBeLessThan(1e-2 * one!);
  });

  it('gives 0 for a map without variance', () => {
    expect(principalComponents(new Float32Array(12).fill(4), 3, 1)).toEqual([new Float32Array(4)]);
  });
});
