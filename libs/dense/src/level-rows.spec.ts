/** Rows of anchors by hand: their order, which are the best, and which take part. */
import * as tf from '@tensorflow/tfjs-core';
import { expectClose, expectNoLeaks, inEngine } from '@pyramidal/testing';
import { bestBoxes, joinLevels, mapSize } from './level-rows';
import { PyramidAnchors } from './pyramid-anchors';

inEngine();

/** Two levels of one anchor a cell: 2 x 2 cells of 8 pixels, one cell of 16. */
const anchors = new PyramidAnchors({ strides: [8, 16], scales: [1], ratios: [1] });
const SIZES = [[2, 2], [1, 1]] as const; // prettier-ignore

it('joinLevels lays levels one after another, cell by cell, image by image', () => {
  const fine = tf.tensor4d([1, 2, 3, 4, 11, 12, 13, 14], [2, 2, 2, 1]);
  const coarse = tf.tensor4d([5, 15], [2, 1, 1, 1]);
  expect([fine, coarse].map(mapSize)).toEqual(SIZES);
  expect(joinLevels([fine, coarse], 1).arraySync()).toEqual([
    [[1], [2], [3], [4], [5]],
    [[11], [12], [13], [14], [15]],
  ]);
});

it('PyramidAnchors has the rows of joinLevels, around the corners of cells', () => {
  expect(anchors.of(SIZES).arraySync()).toEqual([
    [-4, -4, 4, 4],
    [4, -4, 12, 4],
    [-4, 4, 4, 12],
    [4, 4, 12, 12],
    [-8, -8, 8, 8],
  ]);
  expect(anchors.perCell).toBe(1);
});

it('PyramidAnchors.inside asks of each image, with its padding, which cells it has, and which anchors leave it', () => {
  const inside = (allowedBorder: number, padding: number) =>
    anchors.inside(SIZES, tf.tensor2d([[16, 16], [8, 16]]), { allowedBorder, padding }).map((own) => own.arraySync()); // prettier-ignore
  expect(inside(-1, 8)).toEqual([[1, 1, 1, 1, 1], [1, 1, 0, 0, 1]]); // prettier-ignore
  expect(inside(-1, 16)).toEqual([[1, 1, 1, 1, 1], [1, 1, 1, 1, 1]]); // prettier-ignore
  expect(inside(0, 8)).toEqual([[0, 0, 0, 1, 0], [0, 0, 0, 0, 0]]); // prettier-ignore
});

it('bestBoxes moves the best anchors, best first, and ends them at the edges of the image', async () => {
  const ranked = {
    anchors: anchors.of(SIZES),
    deltas: tf.tensor2d([[0, 0, 0, 0], [0.5, 0, 0, 0], [0, 0, 0, 0], [0, 0, Math.log(2), 0], [0, 0, 0, 0]]), // prettier-ignore
    scores: tf.tensor1d([0.1, 0.9, 0.2, 0.8, 0.3]),
  };
  const size = tf.tensor1d([10, 14]);
  const { boxes, indices, scores } = bestBoxes(ranked, 2, size);
  expectClose(boxes.dataSync(), [8, 0, 14, 4, 0, 4, 14, 10], { atol: 1e-5 });
  expect([...indices.dataSync()]).toEqual([1, 3]);
  expectClose(scores.dataSync(), [0.9, 0.8], { rtol: 1e-6 });
  await expectNoLeaks(() => tf.dispose(bestBoxes(ranked, 2, size)));
});
