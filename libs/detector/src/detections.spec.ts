/** What detectors take and give, image by image, by hand. */
import * as tf from '@tensorflow/tfjs-core';
import { expectClose, expectNoLeaks, inEngine } from '@pyramidal/testing';
import { bestPairs, chooseDetections, toOriginal } from './detections';
import { imagesOf } from './images-of';
import { masksOfImages, truthOfImages } from './truth';

inEngine();

describe('bestPairs', () => {
  const scores = () => tf.tensor2d([[0.1, 0.9, 0.3], [0.8, 0.2, 0.3]]); // prettier-ignore

  it('gives the best pairs of a box and a class, of equal ones the first', async () => {
    const { rows, labels, scores: found } = bestPairs(scores(), 4);
    expect([[...rows.dataSync()], [...labels.dataSync()]]).toEqual([[0, 1, 0, 1], [1, 0, 2, 2]]); // prettier-ignore
    expectClose(found.dataSync(), [0.9, 0.8, 0.3, 0.3], { rtol: 1e-6 });
    const given = scores();
    await expectNoLeaks(() => tf.dispose(bestPairs(given, 4)));
  });

  it('gives as many as there are', () => {
    expect(bestPairs(scores(), 100).rows.shape).toEqual([6]);
  });
});

describe('chooseDetections', () => {
  it('suppresses within a class alone, and fills up with rows that are none', () => {
    const boxes = tf.tensor2d([[0, 0, 10, 10], [0, 0, 10, 9], [20, 20, 30, 30]]); // prettier-ignore
    const scores = tf.tensor2d([[0.9, 0.6], [0.8, 0.04], [0.02, 0.7]]); // prettier-ignore
    const found = chooseDetections(boxes, scores, { scoreThreshold: 0.05, iouThreshold: 0.5, count: 5 });
    expect([...found.valid.dataSync()]).toEqual([1, 1, 1, 0, 0]);
    expectClose(found.scores.dataSync(), [0.9, 0.7, 0.6, 0, 0], { rtol: 1e-6 });
    expect([...found.labels.dataSync().slice(0, 3)]).toEqual([0, 1, 1]);
  });
});

it('toOriginal divides by the scales of height and width', () => {
  const boxes = toOriginal(tf.tensor2d([[10, 20, 30, 40]]), tf.tensor1d([2, 5]));
  expect([...boxes.dataSync()]).toEqual([2, 10, 6, 20]);
});

describe('images of a batch', () => {
  const boxes = () => tf.tensor3d([[[0, 0, 4, 4], [0, 0, 0, 0]], [[1, 1, 3, 3], [2, 2, 6, 6]]]); // prettier-ignore
  const labels = () => tf.tensor2d([[3, -1], [0, 2]], undefined, 'int32'); // prettier-ignore

  it('are told apart by name', () => {
    const images = imagesOf({ boxes: boxes(), labels: labels() });
    expect(images.map((own) => [own.boxes.shape, own.labels.arraySync()])).toEqual([
      [[2, 4], [3, -1]],
      [[2, 4], [0, 2]],
    ]); // prettier-ignore
  });

  it('have objects where a label is a class, and regions of crowds where the batch has some', () => {
    const truth = truthOfImages({ boxes: boxes(), labels: labels() });
    expect(truth.map(({ valid, ignored }) => [valid.arraySync(), ignored])).toEqual([
      [[1, 0], undefined],
      [[1, 1], undefined],
    ]);
    const [first] = truthOfImages({ boxes: boxes(), labels: labels(), ignored: boxes() });
    expect(first!.ignored!.shape).toEqual([2, 4]);
  });

  it('have masks, by default each object its own, or it is said what is missing', () => {
    const masks = tf.zeros<tf.Rank.R4>([2, 2, 5, 5]);
    const found = masksOfImages({ boxes: boxes(), labels: labels(), masks, regions: boxes() });
    expect(found.map((own) => [own.masks.shape, own.hasMask.arraySync()])).toEqual([
      [[2, 5, 5], [1, 1]],
      [[2, 5, 5], [1, 1]],
    ]); // prettier-ignore
    expect(() => masksOfImages({ boxes: boxes(), labels: labels() })).toThrow(
      'ground truth: expected masks and their regions to learn masks from, received boxes alone',
    );
  });
});
