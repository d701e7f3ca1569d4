/** Cross entropy against class indices, and its gradient, on every engine. */
import * as tf from '@tensorflow/tfjs-core';
import { sparseSoftmaxCrossEntropy } from './index';
import { checkGradients, expectClose, expectNoLeaks, onEngines, wavesTensor } from '@pyramidal/testing';

onEngines('sparseSoftmaxCrossEntropy', () => {
  it('gives the logarithms a reader can check', async () => {
    await expectNoLeaks(() => {
      const logits = tf.tensor2d([Math.log(1), Math.log(3), 0, 0], [2, 2]);
      const labels = tf.tensor1d([1, 0], 'int32');
      const losses = sparseSoftmaxCrossEntropy(logits, labels);
      expectClose(losses.dataSync(), [Math.log(4 / 3), Math.log(2)], { atol: 1e-6 });
      tf.dispose([logits, labels, losses]);
    });
  });

  it('has the gradient that finite differences give', async () => {
    await expectNoLeaks(async () => {
      const logits = wavesTensor<tf.Rank.R2>([3, 4]);
      const labels = tf.tensor1d([2, 0, 3], 'int32');
      await checkGradients((x) => sparseSoftmaxCrossEntropy(x as tf.Tensor2D, labels), [logits], { atol: 1e-3 });
      tf.dispose([logits, labels]);
    });
  });
});
