/** Proposals of tokens and codes of boxes against detrex's (fixtures/dino_units.json). */
import * as tf from '@tensorflow/tfjs-core';
import { expectClose, goldenValues, inEngine, readFixture, type GoldenFull } from '@pyramidal/testing';
import type { MapSize } from '@pyramidal/nn';
import { levelPadding, type LevelPadding } from './padding';
import { bestTokens, takeTokens, tokenProposals } from './query-selection';
import { sineCode } from './sine-position';

const { sine, proposals } = readFixture(__dirname, 'dino_units') as {
  sine: { boxes: GoldenFull; num_pos_feats: number; temperature: number; code: GoldenFull };
  proposals: {
    spatial_shapes: MapSize[];
    padding: number[][];
    proposals_unactivated: GoldenFull;
    wide_case: { spatial_shapes: MapSize[]; valid: boolean[] };
  };
};

inEngine();

/** The padding that a mask of tokens says. */
function paddingsOf(maps: readonly MapSize[], mask: readonly number[][]): LevelPadding[] {
  let start = 0;
  return maps.map(([height, width]) => {
    const cells = mask.map((image) => image.slice(start, start + height * width));
    start += height * width;
    return {
      size: [height, width],
      rows: tf.tensor2d(cells.map((own) => Array.from({ length: height }, (_, y) => 1 - own[y * width]!))),
      columns: tf.tensor2d(cells.map((own) => Array.from({ length: width }, (_, x) => 1 - own[x]!))),
    };
  });
}

it('proposes a box at every token in the image', () => {
  const { boxes, valid } = tokenProposals(paddingsOf(proposals.spatial_shapes, proposals.padding));
  const expected = goldenValues(proposals.proposals_unactivated);
  const found = [...boxes.dataSync()];
  expect(found.map(Number.isFinite)).toEqual(expected.map(Number.isFinite));
  expectClose(found.filter(Number.isFinite), expected.filter(Number.isFinite), { atol: 1e-5 });
  expect([...valid.dataSync()]).toEqual(proposals.padding.flat().map((padded) => 1 - padded));
});

it('proposes none at the edge of a wide map, nor as large as the image', () => {
  const { spatial_shapes: maps, valid } = proposals.wide_case;
  const canvas: MapSize = [8, 480];
  const paddings = maps.map((map) => levelPadding(tf.tensor2d([[...canvas]]), canvas, map));
  expect([...tokenProposals(paddings).valid.dataSync()]).toEqual(valid.map(Number));
});

it('codes centre and size one after another', () => {
  const [x, y, width, height] = tf.split(tf.tensor3d(goldenValues(sine.boxes), [1, 6, 4]), 4, 2);
  const code = sineCode(
    tf.concat<tf.Tensor3D>([y!, x!, width!, height!] as tf.Tensor3D[], 2),
    sine.num_pos_feats,
    sine.temperature,
  );
  expect(code.shape).toEqual(sine.code.shape);
  expectClose(code.dataSync(), goldenValues(sine.code), { atol: 1e-5 });
});

it('takes the best tokens of each image, as many as there are', () => {
  const tokens = tf.tensor3d([0, 1, 2, 3, 4, 5], [2, 3, 1]);
  const scores = tf.tensor2d([1, 3, 2, 9, 7, 8], [2, 3]);
  expect([
    ...takeTokens(
      tokens,
      bestTokens(2, () => scores),
    ).dataSync(),
  ]).toEqual([1, 2, 3, 5]);
  expect(bestTokens(5, () => scores).shape).toEqual([2, 3]);
});
