/** Anchors against those of MMDetection. */
import * as tf from '@tensorflow/tfjs-core';
import type { MapSize } from '@pyramidal/nn';
import { openRuntime } from '@pyramidal/runtime';
import {
  expectClose,
  expectGoldenStats,
  goldenValues,
  readFixture,
  type GoldenFull,
  type GoldenStats,
} from '@pyramidal/testing';
import { anchorsInside, anchorsPerCell, baseAnchors, levelAnchors, type AnchorOptions } from './anchors';

interface GoldenGenerator {
  readonly num_base_anchors: readonly number[];
  readonly base_anchors: readonly GoldenFull[];
  readonly images: Readonly<
    Record<
      string,
      {
        readonly levels: readonly {
          readonly featmap: MapSize;
          readonly count: number;
          readonly stats: GoldenStats;
          readonly first: GoldenFull;
          readonly last: GoldenFull;
          readonly column_sums: readonly number[];
        }[];
        readonly total: number;
        readonly valid_and_inside: readonly {
          readonly pad_shape: readonly number[];
          readonly img_shape: readonly number[];
          readonly valid_count: number;
          readonly inside_count: Readonly<Record<string, number>>;
        }[];
      }
    >
  >;
}

const { generators } = readFixture(__dirname, 'anchors') as {
  generators: Record<'rpn' | 'retina', GoldenGenerator>;
};

const OPTIONS: Record<'rpn' | 'retina', AnchorOptions> = {
  rpn: { strides: [4, 8, 16, 32, 64], scales: [8], ratios: [0.5, 1, 2] },
  retina: { strides: [8, 16, 32, 64, 128], scales: [0, 1, 2].map((i) => 4 * 2 ** (i / 3)), ratios: [0.5, 1, 2] },
};

beforeAll(async () => {
  await openRuntime();
});

describe.each(['rpn', 'retina'] as const)('anchors, %s', (name) => {
  const golden = generators[name];
  const options = OPTIONS[name];

  it('has the reference base anchors', () => {
    expect(golden.num_base_anchors.every((count) => count === anchorsPerCell(options))).toBe(true);
    golden.base_anchors.forEach((expected, level) => {
      expectClose(baseAnchors(options, level).flat(), goldenValues(expected), { rtol: 1e-6 }, `level ${level}`);
    });
  });

  it.each(Object.entries(golden.images))('lays the reference grid over %s', (_, image) => {
    const before = tf.memory().numTensors;
    image.levels.forEach((expected, level) => {
      const anchors = levelAnchors(options, level, expected.featmap);
      const values = anchors.dataSync<'float32'>();
      expect(anchors.shape).toEqual([expected.count, 4]);
      expectGoldenStats(values, expected.stats, { tolerance: 1e-5 }, `level ${level}`);
      const [first, last] = [goldenValues(expected.first), goldenValues(expected.last)];
      expectClose(values.slice(0, first.length), first, { atol: 1e-4 }, 'first');
      expectClose(values.slice(values.length - last.length), last, { atol: 1e-4 }, 'last');
      const sums = [0, 0, 0, 0];
      values.forEach((value, i) => (sums[i % 4]! += value));
      expectClose(sums, expected.column_sums, { rtol: 1e-5, atol: 1e-2 }, 'column sums');
      anchors.dispose();
    });
    expect(tf.memory().numTensors).toBe(before);
  });

  it.each(Object.entries(golden.images))('counts the valid and inside anchors of %s', (_, image) => {
    for (const { pad_shape, img_shape, valid_count, inside_count } of image.valid_and_inside) {
      const count = (allowedBorder: number): number =>
        tf.tidy(() => {
          const shapes = { padded: tf.tensor1d([...pad_shape]), image: tf.tensor1d([...img_shape]), allowedBorder };
          const perLevel = image.levels.map(({ featmap }, level) => anchorsInside(options, level, featmap, shapes));
          return tf.sum(tf.concat(perLevel)).dataSync()[0]!;
        });
      const counts = Object.keys(inside_count).map((border) => [border, count(Number(border))]);
      expect(Object.fromEntries(counts)).toEqual(inside_count);
      expect(count(-1)).toBe(valid_count);
    }
  });
});
