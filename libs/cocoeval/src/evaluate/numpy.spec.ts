import fc from 'fast-check';
import { Kernels } from '../wasm/kernels';
import { bytesOf, meanByKernels } from './kernel-means';
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

describe('meanByKernels', () => {
  it('is the same to the last bit', () => {
    const value = fc.oneof(fc.double({ min: 0, max: 1, noNaN: true }), fc.constant(-1));
    const sizes = fc.tuple(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1, max: 40 }));
    fc.assert(
      fc.property(fc.array(value, { minLength: 1600, maxLength: 1600 }), sizes, (list, [rows, cells]) => {
        const values = inKernels(list, bytesOf(rows, cells));
        const where = [
          Uint32Array.from({ length: rows }, (_, r) => 40 * r),
          Uint32Array.from(Array(cells).keys()),
        ] as const;
        expect(meanByKernels(values, ...where)).toBe(meanAboveMinusOne(values, ...where));
      }),
      { numRuns: 50 },
    );
  });

  it('leaves values elsewhere, and a memory that would have to grow, as they are', () => {
    const where = [Uint32Array.of(0), Uint32Array.of(0)] as const;
    expect(meanByKernels(Float64Array.of(1), ...where)).toBeUndefined();
    const values = inKernels([1], 0);
    const many = new Uint32Array(10_000);
    expect([meanByKernels(values, many, many), values[0]]).toEqual([undefined, 1]);
  });

  /** Values in a memory of their own, with so much room behind them. */
  function inKernels(list: readonly number[], room: number): Float64Array {
    const left = Kernels.useUp((kernels) => {
      const at = kernels.put(Float64Array.from(list));
      const end = kernels.run.mark();
      kernels.run.allocate(room);
      kernels.run.release(end);
      return kernels.float64(at, list.length);
    });
    return left as Float64Array;
  }
});
