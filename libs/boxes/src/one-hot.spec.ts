/** One-hot rows, also of a single class. */
import * as tf from '@tensorflow/tfjs-core';
import { openRuntime } from '@pyramidal/runtime';
import { expectNoLeaks } from '@pyramidal/testing';
import { oneHot } from './one-hot';

beforeAll(async () => {
  await openRuntime({ engine: 'cpu' });
});

describe('oneHot', () => {
  it('marks the label of each row; background and no class give zeros', () => {
    expect(oneHot(tf.tensor1d([1, 0, 3, -1], 'int32'), 3).arraySync()).toEqual([
      [0, 1, 0],
      [1, 0, 0],
      [0, 0, 0],
      [0, 0, 0],
    ]);
  });

  it('takes a single class, and no rows', () => {
    expect(oneHot(tf.tensor1d([0, 1], 'int32'), 1).arraySync()).toEqual([[1], [0]]);
    expect(oneHot(tf.tensor1d([], 'int32'), 1).shape).toEqual([0, 1]);
  });

  it('leaves the tensor count unchanged', async () => {
    const labels = tf.tensor1d([0, 1], 'int32');
    await expectNoLeaks(() => oneHot(labels, 2).dispose());
  });
});
