import fc from 'fast-check';
import { meanAboveMinusOne, pairwiseSum } from './numpy';

describe('pairwiseSum', () => {
  const values = Array.from({ length: 1000 }, (_, i) => 1 / (i + 1));

  it('adds fewer than 8 values in order', () => {
    expect(pairwiseSum([1e16, 1, -1e16], 0, 3)).toBe(0);
  });

  it('adds 8 to 128 values in 8 lanes', () => {
    const lanes = [1, 2, 3, 4, 5, 6, 7, 8].map((_, j) => (values[j] as number) + (values[j + 8] as number));
    const [a, b, c, d, e, f, g, h] = lanes as [number, number, number, number, number, number, number, number];
    expect(pairwiseSum(values, 0, 18)).toBe(a + b + (c + d) + (e + f + (g + h)) + values[16]! + values[17]!);
  });

  it('halves longer lists at a multiple of 8', () => {
    expect(pairwiseSum(values, 0, 1000)).toBe(pairwiseSum(values, 0, 496) + pairwiseSum(values, 496, 1000));
  });

  it('is a sum', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: -1000, max: 1000 }), { maxLength: 600 }), (list) => {
        expect(pairwiseSum(list, 0, list.length)).toBe(list.reduce((sum, value) => sum + value, 0));
      }),
    );
  });
});

describe('meanAboveMinusOne', () => {
  const meanOf = (...values: number[]): number =>
    meanAboveMinusOne(Float64Array.from(values), Uint32Array.of(0), Uint32Array.from(values.keys()));

  it('passes over -1', () => expect(meanOf(-1, 0.5, -1, 1, 0)).toBe(0.5));
  it('takes the cells of rows', () => {
    const values = Float64Array.of(1, 2, 4, 8, 16, 32);
    expect(meanAboveMinusOne(values, Uint32Array.of(0, 3), Uint32Array.of(1, 2))).toBe(54 / 4);
  });
  it('is -1 where nothing is left', () => {
    expect(meanOf(-1, -1)).toBe(-1);
    expect(meanOf()).toBe(-1);
  });
});
