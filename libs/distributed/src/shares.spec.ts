/** Who takes which images of an update. */
import { seedsOf, shareOf } from './shares';

describe('shareOf', () => {
  it.each([
    [2, { batchSize: 4, accumulation: 1 }, { lane: 0, lanes: 1, part: 1, parts: 2 }],
    [8, { batchSize: 2, accumulation: 8 }, { lane: 1, lanes: 8, part: 0, parts: 1 }],
    [4, { batchSize: 4, accumulation: 2 }, { lane: 0, lanes: 2, part: 1, parts: 2 }],
    [3, { batchSize: 1, accumulation: 6 }, { lane: 1, lanes: 3, part: 0, parts: 1 }],
  ])('the second of %i workers of %j', (count, size, share) => {
    expect(shareOf({ index: 1, count }, size)).toEqual(share);
  });

  it('names images that cannot be shared evenly', () => {
    expect(() => shareOf({ index: 0, count: 3 }, { batchSize: 4, accumulation: 2 })).toThrow(
      '3 workers cannot share 2 batches of 4 images evenly; expected train.accumulation, or train.batchSize, to be a ' +
        'multiple of their number',
    );
  });
});

it('whole batches draw what they draw in one process; parts of one draw each their own', () => {
  const size = { batchSize: 2, accumulation: 4 };
  const draws = Array.from({ length: 2 }, (_, index) => seedsOf(shareOf({ index, count: 2 }, size)));
  expect(draws.map((draw) => draw(7, 3))).toEqual([
    [7, 6],
    [7, 7],
  ]);
  const parts = [0, 1].map((index) => seedsOf(shareOf({ index, count: 2 }, { batchSize: 2, accumulation: 1 }))(7, 3));
  expect(parts[0]).toEqual([7, 3]);
  expect(parts[1]![0]).not.toBe(7);
  expect(Number.isInteger(parts[1]![0])).toBe(true);
});
