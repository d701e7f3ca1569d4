import * as tf from '@tensorflow/tfjs-core';
import {
  batchNorm,
  biasAdd,
  conv2d,
  convOfResized,
  deformableAttention,
  gelu,
  hardSwish,
  inSingleOperations,
  layerNorm,
  linearSumAssignment,
} from '@pyramidal/kernels';
import { expectClose, onEngines, wavesTensor } from '@pyramidal/testing';
import { compile } from '../compile';

onEngines(
  "the addon's own operations in a compiled step",
  () => {
    it('match rows with columns', () => {
      const match = compile(({ costs, rows, columns }: Record<string, tf.Tensor>) => ({
        ...linearSumAssignment(costs as tf.Tensor3D, rows as tf.Tensor2D, columns as tf.Tensor2D),
      }));
      tf.tidy(() => {
        const costs = tf.tensor3d([
          [
            [3, 1],
            [2, 2],
            [0, 9],
          ],
        ]);
        const [rows, columns] = [tf.ones([1, 3], 'bool'), tf.ones([1, 2], 'bool')];
        const { columnOfRow, rowOfColumn } = match({ costs, rows, columns });
        expect(Array.from(columnOfRow!.dataSync())).toEqual([1, -1, 0]);
        expect(Array.from(rowOfColumn!.dataSync())).toEqual([2, 0]);
        const bad = () => match({ costs: tf.mul(costs, NaN), rows, columns });
        expect(bad).toThrow(/^matrix 0: the cost of row 0 and column 0 is NaN/);
      });
      match.dispose();
    });

    it('add in the order of the terms, whichever of them may be written to', () => {
      // Of the terms the last alone is not held by the caller.
      const sum = compile(({ a, b, c }: Record<string, tf.Tensor>) => ({ sum: tf.addN([a!, b!, tf.mul(c!, 2)]) }));
      tf.tidy(() => {
        const terms = { a: tf.fill([40_000], 1e8), b: tf.fill([40_000], -1e8), c: tf.fill([40_000], 0.5) };
        expect(new Set(sum(terms)['sum']!.dataSync())).toEqual(new Set([1]));
        expect(terms.a.dataSync()[0]).toBe(1e8);
      });
      sum.dispose();
    });

    it('normalise rows as single operations do', () => {
      const step = compile(({ x, scale, offset }: Record<string, tf.Tensor>) => ({
        y: layerNorm(x!, scale as tf.Tensor1D, offset as tf.Tensor1D, 0.1),
      }));
      tf.tidy(() => {
        for (const [rows, channels] of [
          [1000, 37],
          [3, 32],
        ] as const) {
          const inputs = {
            x: wavesTensor([rows, channels]),
            scale: wavesTensor([channels], 1),
            offset: wavesTensor([channels], 2),
          };
          const centred = tf.sub(inputs.x, tf.mean(inputs.x, 1, true));
          const variance = tf.mean(tf.square(centred), 1, true);
          const normal = tf.mul(centred, tf.rsqrt(tf.add(variance, 0.1)));
          const expected = tf.add(tf.mul(normal, inputs.scale), inputs.offset);
          expectClose(step(inputs).y.dataSync(), expected.dataSync(), { rtol: 1e-5, atol: 1e-6 });
        }
      });
      step.dispose();
    });

    it.each([
      ['layer norm', ['PyramidalLayerNormKept', 'PyramidalLayerNormGrad'], [5, 300, 37]],
      ['layer norm', ['PyramidalLayerNormKept', 'PyramidalLayerNormGrad'], [1, 2, 3]],
      ['gelu', ['PyramidalActivationAndSlope'], [3, 1000, 7]],
      ['hard swish', ['PyramidalActivationAndSlope'], [3, 1000, 7]],
    ] as const)('have the gradients of single operations: %s by %j of %j', (name, operations, shape) => {
      const channels = shape[2];
      const functions = {
        'layer norm': (...[x, scale, offset]: tf.Tensor[]) =>
          layerNorm(x!, scale as tf.Tensor1D, offset as tf.Tensor1D, 0.1),
        gelu: (...[x, scale]: tf.Tensor[]) => gelu(tf.mul(x!, scale!)),
        'hard swish': (...[x, scale]: tf.Tensor[]) => hardSwish(tf.mul(x!, scale!)),
      };
      const outputs = ({ x, scale, offset, dy }: Record<string, tf.Tensor>): Record<string, tf.Tensor> => {
        const given = name === 'layer norm' ? [x!, scale!, offset!] : [x!, scale!];
        const gradients = tf.grads(functions[name])(given, dy);
        return Object.fromEntries([functions[name](...given), ...gradients].map((tensor, i) => [String(i), tensor]));
      };
      const step = compile(outputs);
      tf.tidy(() => {
        const normal = (size: number[], seed: number): tf.Tensor => tf.randomNormal(size, 0, 1, 'float32', seed);
        const inputs = {
          x: tf.mul(3, normal([...shape], 1)),
          scale: normal([channels], 2),
          offset: normal([channels], 3),
          dy: normal([...shape], 4),
        };
        const expected = inSingleOperations(() => outputs(inputs));
        const received = step(inputs);
        for (const [output, value] of Object.entries(received)) {
          const values = expected[output]!.dataSync<'float32'>();
          const largest = values.reduce((most, one) => Math.max(most, Math.abs(one)), 0);
          expectClose(value.dataSync(), values, { rtol: 1e-5, atol: 3e-6 * largest }, output);
        }
        const again = step(inputs);
        for (const [output, value] of Object.entries(again)) {
          expect(Buffer.from(value.dataSync().buffer)).toEqual(Buffer.from(received[output]!.dataSync().buffer));
        }
      });
      const used = Object.keys(step.explain()[0]!.operations);
      expect(operations.filter((operation) => !used.includes(operation))).toEqual([]);
      step.dispose();
    });

    it('convolve with few multiplications, with the gradients of single operations', () => {
      const outputs = ({ x, filter, dy }: Record<string, tf.Tensor>): Record<string, tf.Tensor> => {
        const convolve = (...[map, taps]: tf.Tensor[]): tf.Tensor =>
          conv2d(map as tf.Tensor4D, taps as tf.Tensor4D, { stride: 1, padding: 1 });
        const [ofMap, ofFilter] = tf.grads(convolve)([x!, filter!], dy);
        return { y: convolve(x!, filter!), ofMap: ofMap!, ofFilter: ofFilter! };
      };
      const step = compile(outputs);
      tf.tidy(() => {
        // Sides that are no multiples of the tiles, more channels than are summed at a time, several blocks of tiles.
        for (const [shape, channels] of [
          [[2, 30, 57, 64], 64],
          [[1, 60, 58, 288], 64],
        ] as const) {
          const inputs = {
            x: tf.randomNormal([...shape], 0, 1, 'float32', 1),
            filter: tf.randomNormal([3, 3, shape[3], channels], 0, 1, 'float32', 2),
            dy: tf.randomNormal([...shape.slice(0, 3), channels], 0, 1, 'float32', 3),
          };
          const expected = outputs(inputs);
          const received = step(inputs);
          for (const [name, value] of Object.entries(received)) {
            const values = expected[name]!.dataSync<'float32'>();
            const largest = values.reduce((most, one) => Math.max(most, Math.abs(one)), 0);
            expectClose(value.dataSync(), values, { atol: 5e-6 * largest }, name);
          }
          const again = step(inputs);
          const bytesOf = (value: tf.Tensor): Buffer => Buffer.from(value.dataSync().buffer);
          const isSame = Object.entries(again).map(([name, value]) => bytesOf(value).equals(bytesOf(received[name]!)));
          expect(isSame).toEqual([true, true, true]);
        }
      });
      expect(step.explain().every(({ operations }) => 'PyramidalConv3x3FilterGrad' in operations)).toBe(true);
      step.dispose();
    });

    it('convolve with norm and ReLU, rounding half as much as sums of one product after the other', () => {
      const outputs = ({ x, filter, bias, mean, variance, scale }: Record<string, tf.Tensor>) => {
        const y = biasAdd(
          conv2d(x as tf.Tensor4D, filter as tf.Tensor4D, { stride: 1, padding: 1 }),
          bias as tf.Tensor1D,
        );
        const [of, by, times] = [mean, variance, scale] as tf.Tensor1D[];
        const options = { mean: of!, variance: by!, scale: times!, offset: of!, epsilon: 1e-3 };
        return { y, normal: tf.relu(batchNorm.infer(y, options)) };
      };
      const step = compile(outputs);
      tf.tidy(() => {
        const [height, width, channels, last] = [58, 59, 512, 64];
        const inputs = {
          x: tf.relu(tf.randomNormal([1, height, width, channels], 0, 1, 'float32', 1)),
          filter: tf.randomNormal([3, 3, channels, last], 0, 0.02, 'float32', 2),
          bias: wavesTensor([last], 1),
          mean: wavesTensor([last], 2),
          variance: tf.add(1.5, wavesTensor([last], 3)),
          scale: wavesTensor([last], 4),
        };
        const { y, normal } = step(inputs);
        const expected = outputs(inputs);
        expectClose(normal.dataSync(), expected.normal.dataSync(), { atol: 2e-5 });
        const exact = directOutputs(inputs, 500);
        const rounded = directOutputs(inputs, 500, Math.fround);
        const values = y.dataSync<'float32'>();
        const errorOf = (valueAt: (at: number) => number): number =>
          Math.sqrt([...exact].reduce((sum, [at, value]) => sum + (valueAt(at) - value) ** 2, 0) / exact.size);
        // TensorFlow's convolution is no measure: by the processor, its sums have another order and round less or more.
        expect(errorOf((at) => values[at]!)).toBeLessThan(0.6 * errorOf((at) => rounded.get(at)!));
      });
      const { operations } = step.explain()[0]!;
      expect(Object.keys(operations)).toContain('PyramidalConv3x3Ended');
      for (const fused of ['BiasAdd', 'FusedBatchNormV3', 'Relu']) expect(Object.keys(operations)).not.toContain(fused);
      step.dispose();
    });

    it('convolve maps of several sizes, multiplied before they are resized', () => {
      const outputs = ({ a, b, c, d, filter }: Record<string, tf.Tensor>): Record<string, tf.Tensor> => ({
        y: convOfResized([a, b, c, d] as tf.Tensor4D[], filter as tf.Tensor4D),
        small: convOfResized([c, d] as tf.Tensor4D[], tf.slice(filter as tf.Tensor4D, [0, 0, 0, 0], [3, 3, 40, 64])),
      });
      const step = compile(outputs);
      tf.tidy(() => {
        const inputs = {
          a: wavesTensor([2, 60, 56, 64], 1),
          b: wavesTensor([2, 30, 28, 32], 2),
          c: wavesTensor([2, 7, 9, 8], 3),
          d: wavesTensor([2, 1, 2, 32], 4),
          filter: wavesTensor([3, 3, 136, 64], 5),
        };
        const expected = outputs(inputs);
        for (const [name, value] of Object.entries(step(inputs))) {
          expectClose(value.dataSync(), expected[name]!.dataSync(), { rtol: 1e-5, atol: 1e-4 }, name);
        }
      });
      expect(step.explain()[0]!.operations).toMatchObject({ PyramidalConv3x3Ended: 1, PyramidalResizedTaps: 2 });
      step.dispose();
    });

    it('attend to maps, with the gradients of single operations', () => {
      const loss = (values: tf.Tensor4D, locations: tf.Tensor<tf.Rank.R6>, weights: tf.Tensor5D): tf.Scalar =>
        tf.sum(
          tf.square(
            deformableAttention(
              values,
              [
                [3, 4],
                [2, 2],
              ],
              locations,
              weights,
            ),
          ),
        );
      const gradients = (inputs: Record<string, tf.Tensor>): Record<string, tf.Tensor> => {
        const [values, locations, weights] = tf.grads(loss as (...args: tf.Tensor[]) => tf.Tensor)([
          inputs['values']!,
          inputs['locations']!,
          inputs['weights']!,
        ]);
        return { values: values!, locations: locations!, weights: weights! };
      };
      const step = compile(gradients);
      tf.tidy(() => {
        const inputs = {
          values: wavesTensor([1, 16, 2, 3]),
          locations: tf.add(0.5, tf.mul(0.4, wavesTensor([1, 5, 2, 2, 2, 2]))),
          weights: wavesTensor([1, 5, 2, 2, 2]),
        };
        const expected = gradients(inputs);
        for (const [name, value] of Object.entries(step(inputs))) {
          expectClose(value.dataSync(), expected[name]!.dataSync(), { rtol: 1e-5, atol: 1e-6 }, name);
        }
      });
      step.dispose();
    });
  },
  ['tensorflow'],
);

/** Some outputs of a 3x3 convolution with bias of one image in double precision, by place. */
function directOutputs(
  inputs: Readonly<Record<'x' | 'filter' | 'bias', tf.Tensor>>,
  count: number,
  round = (sum: number): number => sum,
): Map<number, number> {
  const [, height, width, channels] = inputs.x.shape as [number, number, number, number];
  const [x, filter, bias] = [inputs.x, inputs.filter, inputs.bias].map((tensor) => tensor.dataSync<'float32'>());
  const last = bias!.length;
  const size = height * width * last;
  return new Map(
    Array.from({ length: count }, (_, i) => {
      const at = (i * 7919 * 131) % size;
      const [cell, channel] = [Math.floor(at / last), at % last];
      let sum = bias![channel]!;
      for (let tap = 0; tap < 9; tap++) {
        const [row, column] = [Math.floor(cell / width) + Math.floor(tap / 3) - 1, (cell % width) + (tap % 3) - 1];
        if (row < 0 || row >= height || column < 0 || column >= width) continue;
        for (let c = 0; c < channels; c++) {
          sum = round(
            sum + x![(row * width + column) * channels + c]! * filter![(tap * channels + c) * last + channel]!,
          );
        }
      }
      return [at, sum] as const;
    }),
  );
}
