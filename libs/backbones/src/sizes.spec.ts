/** What each family takes of widths, depths, ratios and image sides, and what it refuses. */
import { inferencePass, LEVELS } from '@pyramidal/nn';
import { openRuntime } from '@pyramidal/runtime';
import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { coat, groupMixFormer, maFormer, smt } from './families';
import { backboneCatalogue } from './catalogue';
import { type BackboneSizes, hiddenWidth, mlpRatioOf, SizeError, type Stages } from './stages';

/** What the channels of each stage have to be multiples of, and a maker of any size of the family. */
const FAMILIES = {
  GroupMixFormer: { units: [10, 10, 10, 10], create: groupMixFormer.create },
  CoaT: { units: [8, 8, 8, 8], create: coat.create },
  MAFormer: { units: [32, 32, 32, 32], create: maFormer.create },
  SMT: { units: [4, 4, 8, 16], create: (sizes: Sizes) => smt.create({ ...sizes, stemKernel: 3 }) },
} as const;

type Sizes = Required<Omit<BackboneSizes, 'dropPath'>>;

const each = <T>(of: (stage: number) => fc.Arbitrary<T>) => fc.tuple(of(0), of(1), of(2), of(3));
const sizesOf = (units: Stages): fc.Arbitrary<Sizes> =>
  fc.record({
    channels: each((stage) => fc.integer({ min: 1, max: 3 }).map((times) => times * units[stage]!)),
    depths: each(() => fc.integer({ min: 1, max: 2 })),
    mlpRatios: each(() => fc.constantFrom(0.5, 1, 1.3, 2, 2.66, 3)),
  });

beforeAll(async () => {
  await openRuntime();
});

describe.each(Object.entries(FAMILIES))('%s', (name, { units, create }) => {
  it('gives what it declares at any widths, depths, ratios and sides that it takes', () => {
    const sides = fc.tuple(fc.integer({ min: 32, max: 70 }), fc.integer({ min: 32, max: 70 }));
    fc.assert(
      fc.property(sizesOf(units), sides, (sizes, [height, width]) => {
        const backbone = create(sizes);
        backbone.initialize(1);
        tf.tidy(() => {
          const maps = backbone.forward(tf.randomNormal([1, height, width, 3], 0, 1, 'float32', 1), inferencePass());
          LEVELS.forEach((level, stage) => {
            const cells = backbone.mapSizes(height, width)[level];
            expect(maps[level].shape).toEqual([1, ...cells, sizes.channels[stage]]);
            expect(tf.all(tf.isFinite(maps[level])).dataSync()[0]).toBe(1);
          });
        });
        backbone.dispose();
      }),
      { numRuns: 5, seed: 1 },
    );
  });

  const fine: Sizes = { channels: units, depths: [1, 1, 1, 1], mlpRatios: [2, 2, 2, 2] };
  const odd = [units[0], units[1] + 1, units[2], units[3]] as const;
  it.each([
    [{ channels: odd }, `expected channels in multiples of ${units[1]}, received ${odd[1]} in stage 2`],
    [{ channels: [0, ...units.slice(1)] }, `expected channels in multiples of ${units[0]}, received 0 in stage 1`],
    [{ depths: [1, 1, 1.5, 1] }, 'expected a whole number of blocks from 1 on, received 1.5 in stage 3'],
    [{ depths: [1, 1, 1, 0] }, 'expected a whole number of blocks from 1 on, received 0 in stage 4'],
    [{ mlpRatios: [2, 0.01, 2, 2] }, 'expected MLPs of at least one channel, received 0.01 in stage 2'],
    [{ dropPath: 1 }, 'expected a drop path from 0 to below 1, received 1'],
  ])('says in one line what of %j is impossible', (change, message) => {
    const refused = new SizeError(Object.keys(change)[0]!, `${name}: ${message}`);
    expect(() => create({ ...fine, ...(change as Partial<Sizes>) })).toThrow(refused);
    expect(refused.exitCode).toBe(2);
  });
});

it('tells of a size by name what is wrong with it, before anything is made of it', () => {
  const { faultOf } = backboneCatalogue();
  expect(faultOf({ name: 'smt_tiny' })).toBeUndefined();
  expect(faultOf({ name: 'smt_tiny', channels: [32, 64, 128, 257] })).toMatchObject({ size: 'channels' });
  expect(faultOf({ name: 'coat_tiny', mlpRatios: [1, 2, 3, 4] })).toMatchObject({
    size: 'mlpRatios',
    message: expect.stringMatching(/^CoaT: parallel blocks expect the same channels and MLP ratios/),
  });
});

it('gives an MLP of any width the ratio that leads back to it', () => {
  const width = fc.integer({ min: 1, max: 4096 });
  fc.assert(
    fc.property(width, width, (channels, hidden) => {
      expect(hiddenWidth(channels, mlpRatioOf(channels, hidden))).toBe(hidden);
    }),
  );
  expect(mlpRatioOf(64, 256)).toBe(4);
});
