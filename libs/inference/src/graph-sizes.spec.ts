import { GraphSizes } from './graph-sizes';

const SMALL = [1, 64, 64, 3];
const LARGE = [1, 512, 512, 3];

describe('sizes that get a graph', () => {
  it('are large, or come for so many times', () => {
    const sizes = new GraphSizes(2, 3);
    expect([SMALL, SMALL, SMALL, SMALL].map((shape) => sizes.takes(shape))).toEqual([false, false, true, true]);
    expect([LARGE, LARGE].map((shape) => sizes.takes(shape))).toEqual([true, true]);
  });

  it('are the first that are worth one', () => {
    const sizes = new GraphSizes(1, Infinity);
    expect([SMALL, LARGE, [2, 512, 512, 3], LARGE].map((shape) => sizes.takes(shape))).toEqual([
      false,
      true,
      false,
      true,
    ]);
  });
});
