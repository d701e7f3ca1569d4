/** Losses over rows against their definitions, and their gradients, on every engine. */
import * as tf from '@tensorflow/tfjs-core';
import { softmaxCrossEntropy, sumOfSquares } from './index';
import { checkGradients, expectClose, expectNoLeaks, onEngines, waves, wavesTensor } from '@pyramidal/testing';

/** Rows that sum to 1, to 0.5 and to 0. */
const LABELS = [0, 1, 0, 0, 0.7, 0.1, 0.1, 0.1, 0.2, 0.3, 0, 0, 0, 0, 0, 0];

onEngines('losses', () => {
  it('softmaxCrossEntropy gives -sum labels * log softmax', async () => {
    await expectNoLeaks(() => {
      const logits = tf.tensor2d(
        waves([4, 4]).map((x) => 20 * x),
        [4, 4],
      );
      const labels = tf.tensor2d(LABELS, [4, 4]);
      const losses = softmaxCrossEntropy(logits, labels);
      const values = Array.from(logits.dataSync());
      const expected = [0, 1, 2, 3].map((row) => {
        const line = values.slice(4 * row, 4 * row + 4);
        const total = Math.log(line.reduce((sum, value) => sum + Math.exp(value), 0));
        return -line.reduce((sum, value, k) => sum + (LABELS[4 * row + k] ?? NaN) * (value - total), 0);
      });
      expectClose(losses.dataSync(), expected, { rtol: 1e-5, atol: 1e-5 });
      tf.dispose([logits, labels, losses]);
    });
  });

  it('softmaxCrossEntropy has the gradient that finite differences give, whatever the labels sum to', async () => {
    await expectNoLeaks(async () => {
      const logits = wavesTensor<tf.Rank.R2>([4, 4]);
      const labels = tf.tensor2d(LABELS, [4, 4]);
      await checkGradients((x) => softmaxCrossEntropy(x as tf.Tensor2D, labels), [logits], { atol: 1e-3 });
      tf.dispose([logits, labels]);
    });
  });

  it('sumOfSquares adds up every element squared', async () => {
    await expectNoLeaks(() => {
      const x = tf.tensor3d([1, -2, 3, 4, 0, -0.5], [1, 2, 3]);
      const sum = sumOfSquares(x);
      expect(sum.dataSync()[0]).toBe(30.25);
      tf.dispose([x, sum]);
    });
  });
});
