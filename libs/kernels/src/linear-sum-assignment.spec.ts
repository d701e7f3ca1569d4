import * as tf from '@tensorflow/tfjs-core';
import { expectNoLeaks, onEngines } from '@pyramidal/testing';
import { linearSumAssignment } from './linear-sum-assignment';
import { solveAssignment } from './solve-assignment';

/** Costs and the column of each row that SciPy 1.17's linear_sum_assignment chooses among several best. */
const SCIPY: Readonly<Record<string, readonly [costs: number[][], columns: number[]]>> = {
  'all equal, tall': [Array<number[]>(4).fill([1, 1, 1]), [0, 1, 2, -1]],
  'all equal, wide': [Array<number[]>(3).fill([2, 2, 2, 2]), [0, 1, 2]],
  'two columns': [Array<number[]>(5).fill([0, 0]), [0, 1, -1, -1, -1]],
  'two best': [
    [
      [1, 2],
      [2, 3],
      [5, 5],
    ],
    [0, 1, -1],
  ],
  'equal rows': [
    [
      [3, 1, 2],
      [3, 1, 2],
      [3, 1, 2],
      [0, 9, 9],
    ],
    [1, 2, -1, 0],
  ],
  negative: [
    [
      [-1, -2, 0.5],
      [-1, -2, 0.5],
      [0, -2, -2],
      [-3, -3, -3],
    ],
    [-1, 1, 2, 0],
  ],
  integers: [
    [
      [7, 3, 3, 1],
      [7, 3, 3, 1],
      [2, 2, 2, 2],
      [5, 1, 1, 1],
      [1, 5, 1, 5],
      [3, 3, 3, 3],
    ],
    [3, -1, 2, 1, 0, -1],
  ],
  'one column': [
    [[4], [2], [2], [3]],
    [-1, 0, -1, -1],
  ],
};

/** Whole numbers of 0..range - 1, so that many are equal. */
function tied(rows: number, columns: number, range: number, seed: number): number[][] {
  let state = seed;
  const next = (): number => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) >>> 8;
  return Array.from({ length: rows }, () => Array.from({ length: columns }, () => next() % range));
}

const total = (costs: number[][], columns: ArrayLike<number>): number =>
  Array.from(columns).reduce((sum, column, row) => sum + (column < 0 ? 0 : (costs[row]![column] as number)), 0);

/** The least sum, by trying everything. */
function least(costs: number[][], row = 0, taken = new Set<number>()): number {
  if (row === costs.length) return 0;
  const sums = costs[row]!.map((cost, column) =>
    taken.has(column) ? Infinity : cost + least(costs, row + 1, new Set([...taken, column])),
  );
  return Math.min(...sums);
}

const solve = (costs: number[][]): number[] =>
  Array.from(solveAssignment(Float64Array.from(costs.flat()), costs.length, costs[0]?.length ?? 0));

describe('solveAssignment', () => {
  it.each(Object.entries(SCIPY))('takes what SciPy takes: %s', (_, [costs, columns]) =>
    expect(solve(costs)).toEqual(columns),
  );

  it('finds the least sum', () => {
    for (let seed = 1; seed <= 40; seed++) {
      const costs = tied(4, 5, seed % 2 === 0 ? 4 : 1000, seed);
      expect(total(costs, solve(costs))).toBe(least(costs));
    }
  });

  it('leaves out forbidden pairs, and says when there is no way', () => {
    expect(
      solve([
        [Infinity, 1],
        [1, Infinity],
      ]),
    ).toEqual([1, 0]);
    expect(() => solve([[Infinity]])).toThrow('no assignment has a finite cost');
  });
});

onEngines('linearSumAssignment', () => {
  const assign = (costs: number[][], rows: number[], columns: number[]): [number[], number[]] =>
    tf.tidy(() => {
      const mask = (taken: number[]): tf.Tensor2D => tf.tensor2d([taken], undefined, 'bool');
      const { columnOfRow, rowOfColumn } = linearSumAssignment(tf.tensor3d([costs]), mask(rows), mask(columns));
      return [Array.from(columnOfRow.dataSync()), Array.from(rowOfColumn.dataSync())];
    });

  it('is the same on every engine, equal costs or not', async () => {
    await expectNoLeaks(() => {
      for (let seed = 1; seed <= 30; seed++) {
        const [rows, columns] = [1 + (seed % 9), 1 + ((seed * 7) % 11)];
        const costs = tied(rows, columns, seed % 3 === 0 ? 3 : 20, seed);
        const [columnOfRow] = assign(costs, Array<number>(rows).fill(1), Array<number>(columns).fill(1));
        expect(columnOfRow).toEqual(solve(costs));
      }
    });
  });

  it('takes what masks name alone, whatever stands elsewhere', () => {
    const costs = [
      [NaN, NaN, NaN, NaN],
      [NaN, 5, NaN, 1],
      [NaN, 1, NaN, 5],
      [NaN, 0, NaN, 0],
    ];
    expect(assign(costs, [0, 1, 1, 0], [0, 1, 0, 1])).toEqual([
      [-1, 3, 1, -1],
      [-1, 2, -1, 1],
    ]);
    expect(assign(costs, [0, 1, 1, 0], [0, 0, 0, 0])).toEqual([
      [-1, -1, -1, -1],
      [-1, -1, -1, -1],
    ]);
  });

  it('says which cost is no number', () => {
    expect(() => assign([[1, NaN]], [1], [1, 1])).toThrow('matrix 0: the cost of row 0 and column 1 is NaN');
    expect(() => assign([[-Infinity]], [1], [1])).toThrow('matrix 0: the cost of row 0 and column 0 is -Infinity');
  });
});
