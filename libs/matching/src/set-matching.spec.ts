/** Matching of sets, whose costs the detectors' own specs compare with reference numbers. */
import * as tf from '@tensorflow/tfjs-core';
import { expectClose, expectNoLeaks, inEngine } from '@pyramidal/testing';
import { focalCosts, giouCosts, l1Costs, matchSets } from './set-matching';

inEngine();

it('costs of classes are what the focal loss would gain', () => {
  const logits = tf.tensor2d([[0, Math.log(3)]]);
  const costs = focalCosts(logits, tf.tensor1d([1, 0, -1], 'int32'), { alpha: 0.25, gamma: 2, epsilon: 0 });
  const gain = (p: number): number => -0.25 * (1 - p) ** 2 * Math.log(p) + 0.75 * p ** 2 * Math.log(1 - p);
  expectClose(costs.dataSync(), [gain(0.75), gain(0.5), 0], { rtol: 1e-5, atol: 1e-7 });
});

it('costs of boxes are their distances and their overlaps', () => {
  const boxes = tf.tensor2d([[0, 0, 2, 2], [1, 0, 3, 2]]); // prettier-ignore
  const objects = tf.tensor2d([[0, 0, 2, 2], [2, 2, 4, 4]]); // prettier-ignore
  expect([...l1Costs(boxes, objects).dataSync()]).toEqual([0, 8, 2, 6]);
  // Intersection over union, less what of the hull is neither's.
  const giou = [1, -8 / 16, 2 / 6, -4 / 12];
  expectClose(giouCosts(boxes, objects).dataSync(), giou.map((value) => -value), { rtol: 1e-6 }); // prettier-ignore
});

it('matches each image for itself, at the least cost in all', async () => {
  const costs = tf.tensor3d([[[1, 2], [1, 4], [9, 9]], [[5, 0], [4, 0], [3, 0]]]); // prettier-ignore
  const valid = tf.tensor2d([[1, 1], [1, 0]], [2, 2], 'bool'); // prettier-ignore
  expect(matchSets(costs, valid).arraySync()).toEqual([[2, 1, 0], [0, 0, 1]]); // prettier-ignore
  await expectNoLeaks(() => matchSets(costs, valid).dispose());
});
