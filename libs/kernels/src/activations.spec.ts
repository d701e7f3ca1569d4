/** GELU and hard swish against their definitions, and their gradients, on every engine. */
import * as tf from '@tensorflow/tfjs-core';
import { gelu, hardSwish } from './index';
import { checkGradients, expectClose, expectNoLeaks, onEngines, waves } from '@pyramidal/testing';

/** x * Phi(x) by the series of the error function, in float64. */
function geluReference(x: number): number {
  let [term, sum] = [x / Math.SQRT2, x / Math.SQRT2];
  for (let n = 1; n < 60; n++) {
    term *= (-x * x) / 2 / n;
    sum += term / (2 * n + 1);
  }
  return x * 0.5 * (1 + (2 / Math.sqrt(Math.PI)) * sum);
}

const hardSwishReference = (x: number): number => (x * Math.min(Math.max(x + 3, 0), 6)) / 6;

onEngines('activations', () => {
  it.each([
    ['gelu', gelu, geluReference],
    ['hardSwish', hardSwish, hardSwishReference],
  ] as const)('%s gives the values of its definition', async (_, kernel, reference) => {
    const values = waves([40]).map((x) => 4.5 * x);
    await expectNoLeaks(() => {
      const x = tf.tensor2d(values, [5, 8]);
      const y = kernel(x);
      expect(y.shape).toEqual([5, 8]);
      expectClose(y.dataSync(), Float32Array.from(values, reference), { rtol: 2e-6, atol: 1e-6 });
      tf.dispose([x, y]);
    });
  });

  it.each([
    ['gelu', gelu],
    ['hardSwish', hardSwish],
  ] as const)('%s has the gradient that finite differences give', async (_, kernel) => {
    const values = [-4.1, -3.3, -2.5, -1.2, -0.4, 0.3, 0.9, 1.7, 2.6, 3.2, 5];
    await expectNoLeaks(async () => {
      const x = tf.tensor1d(values);
      await checkGradients(kernel, [x], { rtol: 2e-3, atol: 1e-3 });
      x.dispose();
    });
  });

  it('hardSwish is flat below -3 and has slope 1 above 3', () => {
    const slope = tf.tidy(() =>
      tf
        .grad((x) => hardSwish(x))(tf.tensor1d([-3, -3.5, 3.5]))
        .dataSync(),
    );
    expect(Array.from(slope)).toEqual([expect.closeTo(0, 6), expect.closeTo(0, 6), expect.closeTo(1, 6)]);
  });
});
