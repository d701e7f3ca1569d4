/** Cross entropy against its definition, and its gradient. */
import * as tf from '@tensorflow/tfjs-core';
import { openRuntime } from '@pyramidal/runtime';
import { checkGradients, expectClose } from '@pyramidal/testing';
import { crossEntropy } from './losses';

beforeAll(async () => {
  await openRuntime();
});

describe('crossEntropy', () => {
  it('is the mean negative log likelihood', async () => {
    const logits = tf.tensor2d([0, Math.log(3), 0, 0], [2, 2]);
    const loss = crossEntropy(logits, tf.tensor1d([1, 0], 'int32'));
    expectClose(await loss.data(), [(-Math.log(0.75) - Math.log(0.5)) / 2], { atol: 1e-6 });
  });

  it('smooths as (1 - s) * nll + s * mean over classes', async () => {
    const logits = tf.tensor2d([0.3, -1, 2], [1, 3]);
    const logProbabilities = Array.from(await tf.logSoftmax(logits).data());
    const mean = -logProbabilities.reduce((sum, value) => sum + value, 0) / 3;
    const loss = crossEntropy(logits, tf.tensor1d([2], 'int32'), { labelSmoothing: 0.1 });
    expectClose(await loss.data(), [0.9 * -logProbabilities[2]! + 0.1 * mean], { atol: 1e-6 });
  });

  it('gives hard labels and their one-hot rows the same loss', async () => {
    const logits = tf.tensor2d([1, 2, 3, -1, 0, 5], [2, 3]);
    const soft = tf.tensor2d([0, 0, 1, 1, 0, 0], [2, 3]);
    const hard = await crossEntropy(logits, tf.tensor1d([2, 0], 'int32')).data();
    expectClose(await crossEntropy(logits, soft).data(), hard, { atol: 1e-6 });
  });

  it('stays finite for extreme logits', async () => {
    const loss = crossEntropy(tf.tensor2d([1e4, -1e4], [1, 2]), tf.tensor1d([1], 'int32'));
    expectClose(await loss.data(), [2e4], { rtol: 1e-5 });
  });

  it('has the gradient that finite differences give', async () => {
    const labels = tf.tensor1d([2, 0], 'int32');
    const logits = tf.tensor2d([1, 0.2, 0.3, -1, 0, 0.5], [2, 3]);
    await checkGradients((x) => crossEntropy(x as tf.Tensor2D, labels, { labelSmoothing: 0.1 }), [logits]);
  });

  it('names both row counts when they differ', () => {
    expect(() => crossEntropy(tf.zeros([2, 3]), tf.tensor1d([1], 'int32'))).toThrow(
      'crossEntropy: expected 2 labels for logits [2,3], received [1]',
    );
  });
});
