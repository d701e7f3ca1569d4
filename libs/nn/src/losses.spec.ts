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

  describe('with class weights', () => {
    const classWeights = [0.5, 2, 3.5];
    const values = [0.3, -1, 2, 1.5, 0.2, -0.7, -0.4, 0.9, 0.1, 2.2, -0.3, 0.6];
    const logits = () => tf.tensor2d(values, [4, 3]);
    const labels = () => tf.tensor1d([2, 0, 1, 0], 'int32');

    // torch.nn.functional.cross_entropy(logits, labels, weight=classWeights, label_smoothing=...), float64, PyTorch 2.15
    it.each([
      [0, 0.3239408121188251],
      [0.1, 0.4923740950123665],
    ])(
      "is PyTorch's mean over class indices, weighted by the labels (smoothing %d)",
      async (labelSmoothing, expected) => {
        const loss = crossEntropy(logits(), labels(), { labelSmoothing, classWeights });
        expectClose(await loss.data(), [expected], { rtol: 1e-6 });
      },
    );

    it.each([
      [0, 1.6399624657527456],
      [0.1, 1.802310685848785],
    ])("is PyTorch's mean over rows of probabilities (smoothing %d)", async (labelSmoothing, expected) => {
      const soft = tf.tensor2d([0.2, 0, 0.8, 0.6, 0.4, 0, 0, 1, 0, 0.5, 0, 0.5], [4, 3]);
      const loss = crossEntropy(logits(), soft, { labelSmoothing, classWeights });
      expectClose(await loss.data(), [expected], { rtol: 1e-6 });
    });

    it("has PyTorch's gradient", async () => {
      const gradient = tf.grad((x) => crossEntropy(x as tf.Tensor2D, labels(), { classWeights }))(logits());
      // torch.autograd.grad of the first one above
      expectClose(
        await gradient.data(),
        [
          ...[0.07981371078381191, 0.02175177370861037, -0.10156548449242224, -0.021316098406825086],
          ...[0.01515466956023793, 0.00616142884658715, 0.04870076512858962, -0.12899475249546635],
          ...[0.08029398736687676, -0.01701327609848354, 0.004917695918244799, 0.01209558018023874],
        ],
        { rtol: 1e-5, atol: 1e-7 },
      );
    });

    it('counts all classes alike where the weights are 1, whatever their scale', async () => {
      const plain = await crossEntropy(logits(), labels()).data();
      for (const weight of [1, 7]) {
        const loss = crossEntropy(logits(), labels(), { classWeights: [weight, weight, weight] });
        expectClose(await loss.data(), plain, { rtol: 1e-6 });
      }
    });

    it('names another number of weights', () => {
      expect(() => crossEntropy(logits(), labels(), { classWeights: [1, 2] })).toThrow(
        'crossEntropy: expected 3 class weights, received 2',
      );
    });
  });

  it('names both row counts when they differ', () => {
    expect(() => crossEntropy(tf.zeros([2, 3]), tf.tensor1d([1], 'int32'))).toThrow(
      'crossEntropy: expected 2 labels for logits [2,3], received [1]',
    );
  });
});
