/** Padding, positions and reference points against Deformable DETR's code (fixtures/detr_units.json). */
import * as tf from '@tensorflow/tfjs-core';
import {
  expectClose,
  expectGoldenStats,
  goldenValues,
  inEngine,
  readFixture,
  type GoldenFull,
  type GoldenStats,
} from '@pyramidal/testing';
import { levelPadding, referencePoints, validCells, validCounts, validRatios } from './padding';
import { sinePosition } from './sine-position';

interface GoldenGeometry {
  readonly canvas: [number, number];
  readonly sizes: [number, number][];
  readonly levels: readonly {
    readonly map: [number, number];
    readonly valid_hw: readonly [number, number][];
    readonly position_padding_zeroed: GoldenStats;
    readonly position_corner: GoldenFull;
    readonly position_last_valid: readonly GoldenFull[];
  }[];
  readonly valid_ratios_wh: GoldenFull;
  readonly encoder_reference_points: GoldenStats;
}

const { geometry } = readFixture(__dirname, 'detr_units') as {
  geometry: { cases: Record<string, GoldenGeometry> };
};
const SINE = { temperature: 10000, offset: -0.5 };

inEngine();

describe.each(Object.entries(geometry.cases))('images in a larger canvas: %s', (_, golden) => {
  const paddings = () => golden.levels.map(({ map }) => levelPadding(tf.tensor2d(golden.sizes), golden.canvas, map));

  it('leaves the cells whose corner lies in the image', () => {
    paddings().forEach((padding, level) => {
      const expected = golden.levels[level]!.valid_hw.flatMap(([height, width]) => [width, height]);
      expect([...validCounts(padding).dataSync()]).toEqual(expected);
    });
    expectClose(validRatios(paddings()).dataSync(), goldenValues(golden.valid_ratios_wh), { rtol: 1e-6 }, 'ratios');
  });

  it('looks from the middles of cells', () => {
    const points = referencePoints(paddings());
    const { encoder_reference_points: expected } = golden;
    expect(points.shape).toEqual(expected.shape);
    expectGoldenStats(points.dataSync<'float32'>(), expected, { tolerance: 1e-5 }, 'reference points');
  });

  it('gives cells the codes of their places', () => {
    paddings().forEach((padding, level) => {
      const { position_padding_zeroed: expected, position_last_valid, valid_hw, map } = golden.levels[level]!;
      const code = sinePosition(padding, 16, SINE);
      const shown = tf.transpose(tf.mul(code, validCells(padding)), [0, 2, 1]);
      expectGoldenStats(shown.dataSync<'float32'>(), expected, { tolerance: 1e-5 }, `level ${level}`);
      valid_hw.forEach(([height, width], image) => {
        const cell = (height - 1) * map[1] + width - 1;
        const last = tf.slice(code, [image, cell, 0], [1, 1, 16]).dataSync();
        expectClose(last, goldenValues(position_last_valid[image]!), { atol: 1e-5 }, `last cell of image ${image}`);
      });
    });
  });
});
