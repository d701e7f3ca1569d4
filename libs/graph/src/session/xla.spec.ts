/** Steps whose operations XLA compiles. */
import * as tf from '@tensorflow/tfjs-core';
import { linearSumAssignment, random } from '@pyramidal/kernels';
import { expectClose, expectNoLeaks, onEngines, wavesTensor } from '@pyramidal/testing';
import { smallBlock, smallStem, smallWeights } from '../../test-support/small-network';
import { compile } from '../compile';
import { operationOf, traceSteps } from './trace';

onEngines(
  'steps with XLA',
  () => {
    it('give the same numbers, and change the same variables', async () => {
      await expectNoLeaks(() => {
        const images = wavesTensor<tf.Rank.R4>([2, 10, 12, 3]);
        const train = (xla: boolean) => {
          const weights = tf.tidy(smallWeights);
          const variables = Object.values(weights) as tf.Tensor[] as tf.Variable[];
          const step = compile(
            (inputs: { images: tf.Tensor4D }) => {
              const { value, grads } = tf.variableGrads(
                () => tf.mean(tf.square(smallBlock(smallStem(inputs.images, weights), weights))) as tf.Scalar,
                variables,
              );
              for (const each of variables) each.assign(tf.sub(each, tf.mul(grads[each.name]!, 0.1)));
              return { loss: value };
            },
            { session: { xla } },
          );
          const update = () => tf.tidy(() => step({ images }).loss.dataSync()[0]!);
          const losses = Array.from({ length: 20 }, update);
          const entries = traceSteps(() => losses.push(update()));
          const values = variables.map((variable) => Array.from(variable.dataSync()));
          step.dispose();
          tf.dispose(variables);
          return { losses, values, operations: new Set(entries.map(operationOf)) };
        };
        const [plain, compiled] = [train(false), train(true)];
        expect(plain.losses[20]).toBeLessThan(plain.losses[0]! / 2);
        expectClose(compiled.losses, plain.losses, { rtol: 1e-4 }, 'losses');
        compiled.values.forEach((values, i) => expectClose(values, plain.values[i]!, { rtol: 1e-4, atol: 1e-5 }));
        expect(compiled.operations).toContain('_XlaRun');
        expect(plain.operations).not.toContain('_XlaRun');
        images.dispose();
      });
    });

    it('draw the same numbers', () => {
      const draw = (xla: boolean): number[] => {
        const step = compile(
          ({ seed }: { seed: tf.Tensor1D }) => {
            const drawn = random.uniform([8], seed);
            return { sum: tf.add(tf.mul(tf.square(tf.sub(drawn, 0.5)), 2), drawn) };
          },
          { session: { xla } },
        );
        const drawn = tf.tidy(() => Array.from(step({ seed: tf.tensor1d([7, 11], 'int32') }).sum.dataSync()));
        step.dispose();
        return drawn;
      };
      expectClose(draw(true), draw(false), { rtol: 1e-6 });
    });

    it("leave the addon's own operations as they are", () => {
      const step = compile(
        ({ costs }: { costs: tf.Tensor3D }) => {
          const doubled = tf.add(tf.mul(tf.sub(costs, 1), 2), tf.square(costs)) as tf.Tensor3D;
          const [rows, columns] = [tf.ones<tf.Rank.R2>([1, 3], 'bool'), tf.ones<tf.Rank.R2>([1, 2], 'bool')];
          const { columnOfRow } = linearSumAssignment(doubled, rows, columns);
          const matched = tf.cast(columnOfRow, 'float32');
          return { matched: tf.sub(tf.mul(tf.add(matched, 1), 3), tf.square(matched)) };
        },
        { session: { xla: true } },
      );
      tf.tidy(() => {
        const costs = tf.tensor3d([3, 1, 2, 2, 0, 9], [1, 3, 2]);
        expect(Array.from(step({ costs }).matched.dataSync())).toEqual([5, -1, 3]);
      });
      step.dispose();
    });
  },
  ['tensorflow'],
);

onEngines(
  'XLA',
  () => {
    it('is refused where there is none', () => {
      const step = compile(({ x }: { x: tf.Tensor }) => ({ y: tf.square(x) }), {
        name: 'train',
        session: { xla: true },
      });
      expect(() => tf.tidy(() => step({ x: tf.scalar(1) }))).toThrow(
        /^train: XLA needs compiled steps on a TensorFlow engine; on (cpu|wasm), steps run here operation by operation$/,
      );
    });
  },
  ['cpu', 'wasm'],
);
