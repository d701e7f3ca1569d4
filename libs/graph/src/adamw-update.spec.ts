import * as tf from '@tensorflow/tfjs-core';
import { expectClose, expectNoLeaks, onEngines } from '@pyramidal/testing';
import { compile } from './compile';
import { adamWUpdate } from './adamw-update';

const [BETA_1, BETA_2, EPSILON, RATE, DECAY] = [0.9, 0.999, 1e-3, 0.01, 0.1];
const GRADIENTS = [
  [0.1, -0.2, 0, 1],
  [0.3, 0.1, 0.0001, -1],
  [-0.5, 0.2, 0, 2],
];

/** The algorithm of PyTorch's documentation for `AdamW`, in float64. */
function reference(start: number[]): number[] {
  return start.map((value, i) => {
    let [parameter, average, square] = [value, 0, 0];
    GRADIENTS.forEach((step, k) => {
      const gradient = step[i] ?? NaN;
      parameter -= RATE * DECAY * parameter;
      average = BETA_1 * average + (1 - BETA_1) * gradient;
      square = BETA_2 * square + (1 - BETA_2) * gradient ** 2;
      const corrected = average / (1 - BETA_1 ** (k + 1));
      parameter -= (RATE * corrected) / (Math.sqrt(square / (1 - BETA_2 ** (k + 1))) + EPSILON);
    });
    return parameter;
  });
}

onEngines('adamWUpdate', () => {
  it.each(['operation by operation', 'compiled'])('%s follows PyTorch', async (mode) => {
    await expectNoLeaks(() => {
      const start = [1, -1, 0.5, 2];
      const parameter = tf.tidy(() => tf.variable(tf.tensor1d(start)));
      const average = tf.tidy(() => tf.variable(tf.zeros([4])));
      const square = tf.tidy(() => tf.variable(tf.zeros([4])));
      const constants = { beta1: BETA_1, beta2: BETA_2, epsilon: EPSILON };
      const update = ({ gradient, ...scalars }: Record<string, tf.Tensor>): Record<string, tf.Tensor> => {
        adamWUpdate({ parameter, average, square }, gradient as tf.Tensor, scalars as never, constants);
        return { norm: tf.norm(parameter) };
      };
      const compiled = compile<Record<string, tf.Tensor>, Record<string, tf.Tensor>>(update);
      const run = mode === 'compiled' ? compiled : update;
      GRADIENTS.forEach((gradient, k) => {
        tf.tidy(() => {
          const { norm } = run({
            gradient: tf.tensor1d(gradient),
            stepSize: tf.scalar(RATE / (1 - BETA_1 ** (k + 1))),
            rootCorrection: tf.scalar(Math.sqrt(1 - BETA_2 ** (k + 1))),
            keep: tf.scalar(1 - RATE * DECAY),
          });
          // What follows within the step already sees the new value.
          expectClose((norm as tf.Tensor).dataSync(), tf.norm(parameter).dataSync(), { rtol: 1e-6 });
        });
      });
      expectClose(parameter.dataSync(), reference(start), { rtol: 1e-5 });
      compiled.dispose();
      tf.dispose([parameter, average, square]);
    });
  });
});
