/** Parameters without a gradient are found. */
import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import { withoutGradient } from './gradient-reach';

const parameter = () => ({ variable: tf.variable(tf.scalar(2)) });

/** A loss of this value that sends these gradients to its inputs. */
function lossOf(value: number, gradients: readonly number[]) {
  return tf.customGrad<tf.Scalar>(() => ({
    value: tf.scalar(value),
    gradFunc: () => gradients.map((g) => tf.scalar(g)),
  }));
}

describe('withoutGradient', () => {
  const parameters = new Map(['reached', 'absent', 'in vain', 'broken'].map((name) => [name, parameter()]));
  const inputs = ['reached', 'in vain', 'broken'].map((name) => parameters.get(name)!.variable);

  it('names parameters that no gradient reaches, a zero one, or one that is not finite', () => {
    const loss = lossOf(1, [0.5, 0, NaN]);
    expect(withoutGradient(parameters, () => loss(...inputs))).toEqual(['absent', 'in vain', 'broken']);
  });

  it('asks for a finite loss', () => {
    const loss = lossOf(Infinity, [0.5, 0.5, 0.5]);
    expect(() => withoutGradient(parameters, () => loss(...inputs))).toThrow(
      'expected a finite loss, received Infinity',
    );
  });
});
