import * as tf from '@tensorflow/tfjs-core';
import {
  batchNorm,
  biasAdd,
  conv2d,
  depthwiseConv2d,
  depthwiseGroups,
  factorAttention,
  gelu,
  groupedProduct,
  hardSwish,
  inSingleOperations,
  layerNorm,
  ownSoftmaxAttention,
} from '@pyramidal/kernels';
import { expectClose, onEngines, wavesTensor } from '@pyramidal/testing';
import { compile } from '../compile';
import { operationOf, traceSteps } from './trace';

type Inputs = Record<string, tf.Tensor>;

/** Operations that go over whole maps. */
const COMPUTES = /^(Pyramidal|Add|Mul|Concat|Split|MatMul|Conv|Depthwise|BiasAdd|FusedBatchNorm|Erf|Relu)/;

/**
 * Compares a function in three forms: composed of TensorFlow.js's operations, with the addon's own
 * operations one by one, and as a graph.
 */
function expectSame(fn: (inputs: Inputs) => tf.Tensor, inputs: Inputs): string[] {
  const step = compile((given: Inputs) => ({ y: fn(given) }));
  return tf.tidy(() => {
    const composed = inSingleOperations(() => fn(inputs));
    const expected = composed.dataSync<'float32'>();
    const atol = 2e-6 * expected.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    for (const [form, y] of [
      ['alone', fn(inputs)],
      ['compiled', step(inputs).y],
    ] as const) {
      // prettier-ignore
      expect(y.shape).toEqual(composed.shape);
      expectClose(y.dataSync(), expected, { rtol: 1e-5, atol }, form);
    }
    const operations = step.explain().flatMap((graph) => Object.keys(graph.operations));
    step.dispose();
    return operations.filter((name) => COMPUTES.test(name));
  });
}

const normal = (shape: number[], seed: number): tf.Tensor => tf.randomNormal(shape, 0, 1, 'float32', seed);

/** What a batch norm takes besides the map. */
const statistics = (channels: number, suffix = ''): Inputs =>
  Object.fromEntries(
    ['scale', 'offset', 'mean', 'variance'].map((name, i) => [name + suffix, tf.add(1.5, wavesTensor([channels], i))]),
  );

function normOptions(inputs: Inputs, suffix = ''): batchNorm.BatchNormInferOptions {
  const vector = (name: string): tf.Tensor1D => inputs[name + suffix] as tf.Tensor1D;
  const [scale, offset, mean, variance] = [vector('scale'), vector('offset'), vector('mean'), vector('variance')];
  return { scale, offset, mean, variance, epsilon: 1e-5 };
}

onEngines(
  "the addon's own operations where no gradient is taken",
  () => {
    beforeEach(() => tf.engine().startScope());
    afterEach(() => tf.engine().endScope());

    it('end a norm with a ReLU', () => {
      const block = ({ x, ...given }: Inputs): tf.Tensor => tf.relu(batchNorm.infer(x!, normOptions(given)));
      expect(expectSame(block, { x: normal([2, 5, 21], 1), ...statistics(21) })).toEqual(['PyramidalBatchNorm']);
    });

    it('give GELU of a product to TensorFlow, which makes it part of that', () => {
      const inputs = { x: normal([30, 8], 1), weight: normal([8, 20], 2), bias: normal([20], 3) };
      const layer = ({ x, weight, bias }: Inputs): tf.Tensor =>
        gelu(biasAdd(tf.matMul(x!, weight!), bias as tf.Tensor1D));
      expect(expectSame(layer, inputs).sort()).toEqual(['AddV2', 'BiasAdd', 'Erf', 'MatMul', 'Mul']);
    });

    it('leave a map as it is that others read, too', () => {
      const inputs = { x: normal([1, 5, 6, 8], 1), filter: normal([3, 3, 8, 1], 2) };
      const both = ({ x, filter }: Inputs): tf.Tensor => {
        const y = depthwiseConv2d(x as tf.Tensor4D, filter as tf.Tensor4D, { stride: 1, padding: 1 });
        return tf.mul(gelu(y), y);
      };
      expect(expectSame(both, inputs).sort()).toEqual(['Mul', 'PyramidalActivation', 'PyramidalMixedConv']);
    });

    it.each([3, 5, 7, 9])('convolve channels in windows of %i', (size) => {
      for (const [height, width, channels] of [
        [10, 16, 20],
        [1, 1, 3],
        [5, 30, 16],
        [3, 2, 70],
      ] as const) {
        const inputs = {
          x: normal([2, height, width, channels], 1),
          filter: normal([size, size, channels, 1], 2),
          bias: normal([channels], 3),
        };
        const convolve = ({ x, filter, bias }: Inputs): tf.Tensor =>
          gelu(
            depthwiseConv2d(
              x as tf.Tensor4D,
              filter as tf.Tensor4D,
              { stride: 1, padding: (size - 1) / 2 },
              bias as tf.Tensor1D,
            ),
          );
        expect(expectSame(convolve, inputs)).toEqual(['PyramidalMixedConv']);
      }
    });

    it('convolve groups of channels in windows of their own, and leave others out', () => {
      const inputs = {
        x: normal([2, 6, 9, 50], 1),
        small: normal([3, 3, 6, 1], 2),
        large: normal([7, 7, 24, 1], 3),
        smallBias: normal([6], 4),
        largeBias: normal([24], 5),
      };
      const convolve = ({ x, small, large, smallBias, largeBias }: Inputs): tf.Tensor =>
        depthwiseGroups(
          x as tf.Tensor4D,
          [
            { filter: small as tf.Tensor4D, bias: smallBias as tf.Tensor1D },
            { filter: large as tf.Tensor4D, bias: largeBias as tf.Tensor1D },
          ],
          11,
        );
      // The biases are put side by side.
      expect(expectSame(convolve, inputs)).toEqual(['ConcatV2', 'PyramidalMixedConv']);
    });

    it('normalise maps and put them side by side', () => {
      const inputs: Inputs = {
        a: normal([2, 3, 4, 13], 1),
        b: normal([2, 3, 4, 32], 2),
        c: normal([2, 3, 4, 5], 3),
        ...statistics(13, 'OfA'),
        ...statistics(32, 'OfB'),
      };
      const join = (given: Inputs): tf.Tensor => {
        const a = batchNorm.infer(given['a']!, normOptions(given, 'OfA'));
        const b = batchNorm.infer(given['b']!, normOptions(given, 'OfB'));
        return hardSwish(tf.concat([a, given['c']!, b], 3));
      };
      expect(expectSame(join, inputs)).toEqual(['PyramidalBatchNorm']);
    });

    it.each([
      [1, 7, 8, 2],
      [2, 300, 40, 8],
      [1, 300, 160, 8],
      [1, 9, 3, 3],
    ])('attend in %i images of %i tokens, %i channels in %i heads', (images, tokens, channels, heads) => {
      const inputs = {
        qkv: normal([images, tokens, 3 * channels], 1),
        positions: normal([images, tokens, channels], 2),
      };
      const attend = ({ qkv, positions }: Inputs): tf.Tensor =>
        factorAttention(qkv as tf.Tensor3D, { heads, scale: 0.3, positions: () => positions as tf.Tensor3D });
      expect(expectSame(attend, inputs)).toEqual(['PyramidalFactorAttention']);
    });

    it.each([
      [1, 7, 7, 8, 2],
      [2, 13, 50, 40, 8],
      [1, 300, 3, 160, 8],
      [1, 70, 65, 80, 2],
      [2, 1, 1, 3, 3],
    ])(
      'attend by softmax in %i images of %i tokens to %i, %i channels in %i heads',
      (images, tokens, sources, channels, heads) => {
        const inputs = {
          queries: tf.mul(3, normal([images, tokens, channels], 1)),
          keys: normal([images, sources, channels], 2),
          values: normal([images, sources, channels], 3),
        };
        expect(expectSame((given) => attendBySoftmax(given, heads), inputs)).toEqual(['PyramidalSoftmaxAttention']);
      },
    );

    it('attend to tokens that are alike, and to far larger ones', () => {
      const values = normal([1, 4, 2], 1);
      const alike = attendBySoftmax({ queries: tf.zeros([1, 1, 2]), keys: normal([1, 4, 2], 2), values }, 1);
      expectClose(alike.dataSync(), tf.mean(values, 1).dataSync(), { atol: 1e-6 });
      const keys = tf.tensor3d([-1e4, 0, 1e4, 0, 0, 0, 5, 0], [1, 4, 2]);
      const one = attendBySoftmax({ queries: tf.ones([1, 1, 2]), keys, values }, 1);
      expectClose(one.dataSync(), tf.slice(values, [0, 1, 0], [1, 1, 2]).dataSync(), { atol: 1e-6 });
    });

    it.each([
      [196, 160, 144, 'none'],
      [49, 512, 256, 'hard swish'],
      [2000, 48, 64, 'none'],
      [7, 700, 40, 'none'],
      [1, 30, 8, 'hard swish'],
      [300, 20, 120, 'none'],
    ] as const)(
      'share a product of %i x %i and %i columns among threads, ended with %s',
      (rows, depth, columns, end) => {
        const inputs = { x: normal([rows, depth], 1), weight: normal([depth, columns], 2), bias: normal([columns], 3) };
        const layer = ({ x, weight, bias }: Inputs): tf.Tensor => {
          const y = biasAdd(tf.matMul(x!, weight!), bias as tf.Tensor1D);
          return end === 'none' ? y : hardSwish(y);
        };
        expect(expectSame(layer, inputs).filter((name) => name !== 'MatMul')).toEqual(['PyramidalProduct']);
      },
    );

    it.each([
      [[2, 29, 31, 20], [3, 3], 80, 2],
      [[1, 14, 14, 288], [1, 1], 144, 1],
      [[1, 56, 56, 24], [2, 2], 64, 2],
      [[3, 20, 9, 64], [5, 3], 16, 1],
      [[2, 15, 15, 6], [3, 3], 40, 2],
    ] as const)(
      'share a convolution of %j by %j to %i channels among threads, stride %i',
      (shape, window, channels, stride) => {
        const inputs = {
          x: normal([...shape], 1),
          filter: normal([...window, shape[3], channels], 2),
          bias: normal([channels], 3),
        };
        const layer = ({ x, filter, bias }: Inputs): tf.Tensor =>
          tf.relu(
            biasAdd(conv2d(x as tf.Tensor4D, filter as tf.Tensor4D, { stride, padding: 0 }), bias as tf.Tensor1D),
          );
        expect(expectSame(layer, inputs).filter((name) => name !== 'Conv2D')).toEqual(['PyramidalConvolution']);
      },
    );

    it.each([
      [[1, 60, 41, 20], 48],
      [[2, 300, 302, 3], 64],
      [[1, 9, 9, 16], 200],
    ] as const)('end a convolution of %j with its norm', (shape, channels) => {
      const inputs = {
        x: normal([...shape], 1),
        filter: normal([3, 3, shape[3], channels], 2),
        ...statistics(channels),
      };
      const block = ({ x, filter, ...given }: Inputs): tf.Tensor => {
        const y = conv2d(x as tf.Tensor4D, filter as tf.Tensor4D, { stride: 2, padding: 0 });
        return hardSwish(batchNorm.infer(y, normOptions(given)));
      };
      expect(expectSame(block, inputs).filter((name) => name !== 'Conv2D')).toEqual(['PyramidalConvolution']);
    });

    it('read keys, values and maps where they lie among other channels', () => {
      const inputs = {
        queries: normal([2, 20, 16], 1),
        all: normal([2, 4, 5, 48], 2),
        filter: normal([3, 3, 16, 1], 3),
      };
      const block = ({ queries, all, filter }: Inputs): tf.Tensor => {
        const [, keys, values] = tf.split(all!, 3, 3) as [tf.Tensor4D, tf.Tensor4D, tf.Tensor4D];
        const tokens = (map: tf.Tensor): tf.Tensor => tf.reshape(map, [2, 20, 16]);
        const attended = attendBySoftmax({ queries: queries!, keys: tokens(keys), values: tokens(values) }, 4);
        const convolved = depthwiseConv2d(values, filter as tf.Tensor4D, { stride: 1, padding: 1 });
        return tf.add(attended, tokens(convolved));
      };
      expect(expectSame(block, inputs)).toContain('PyramidalMixedConv');
      const step = compile((given: Inputs) => ({ y: block(given) }));
      const run = (): void => tf.dispose({ ...step(inputs) });
      run();
      const operations = traceSteps(run).map(operationOf);
      expect(operations).toEqual(expect.arrayContaining(['PyramidalMixedConv', 'PyramidalSoftmaxAttention']));
      expect(operations).not.toContain('SplitV');
      step.dispose();
    });

    it.each([[[2, 5, 6, 21]], [[3, 16]]])('norm a sum of %j and keep it', (shape) => {
      const channels = shape.at(-1) as number;
      const vector = (seed: number): tf.Tensor1D => tf.variable(normal([channels], seed) as tf.Tensor1D);
      const [scale, offset] = [vector(1), vector(2)];
      const block = ({ a, b }: Inputs): tf.Tensor => {
        const sum = tf.add(a!, b!);
        return tf.concat([sum, layerNorm(sum, scale, offset, 1e-5)], -1);
      };
      const inputs = { a: normal(shape, 3), b: normal(shape, 4) };
      expect(expectSame(block, inputs).filter((name) => name !== 'ConcatV2')).toEqual(['PyramidalAddedNorm']);
      tf.dispose([scale, offset]);
    });

    it('keep the weights of products in order until they change, by hand or in another step', () => {
      const weight = tf.variable(normal([160, 144], 1));
      const bias = tf.variable(normal([144], 2)) as tf.Variable<tf.Rank.R1>;
      const x = normal([196, 160], 3);
      const predict = compile((given: Inputs) => ({ y: biasAdd(tf.matMul(given['x']!, weight), bias) }));
      const train = compile((given: Inputs) => {
        weight.assign(tf.add(weight, tf.mul(0.5, given['change']!)));
        return { sum: tf.sum(weight) };
      });
      const check = (): void =>
        tf.tidy(() => {
          const expected = tf.add(tf.matMul(x, weight), bias).dataSync();
          expectClose(predict({ x })['y']!.dataSync(), expected, { rtol: 1e-5, atol: 1e-4 });
        });
      check();
      check();
      for (const seed of [4, 5, 1]) {
        tf.tidy(() => weight.assign(normal([160, 144], seed)));
        check();
        tf.tidy(() => train({ change: normal([160, 144], seed + 10) }));
        check();
        check();
      }
      predict.dispose();
      train.dispose();
      tf.dispose([weight, bias]);
    });

    it('multiply the channels of heads by group', () => {
      const inputs = { x: normal([2, 5, 5, 72], 1), weights: normal([18, 8, 4], 2), bias: normal([144], 3) };
      const multiply = ({ x, weights, bias }: Inputs): tf.Tensor =>
        groupedProduct(x!, weights as tf.Tensor3D, bias as tf.Tensor1D);
      expect(expectSame(multiply, inputs)).toEqual(['PyramidalGroupedProduct']);
      const block = ({ x, weights, bias, ...given }: Inputs): tf.Tensor =>
        gelu(batchNorm.infer(multiply({ x: x!, weights: weights!, bias: bias! }), normOptions(given)));
      expect(expectSame(block, { ...inputs, ...statistics(144) })).toEqual(['PyramidalGroupedProduct']);
    });

    it.each([
      ['GELU', gelu, (x: number) => 0.5 * x * (1 + erf(x * Math.SQRT1_2))],
      ['hard swish', hardSwish, (x: number) => (x * Math.min(Math.max(x + 3, 0), 6)) / 6],
    ] as const)('give %s over the whole range of numbers', (_name, activate, exact) => {
      const values = Float32Array.from({ length: 4001 }, (_, i) => (i - 2000) / 250);
      const received = activate(tf.tensor1d(values)).dataSync();
      expectClose(received, Float32Array.from(values, exact), { rtol: 1e-6, atol: 6e-7 });
      const extremes = activate(tf.tensor1d([NaN, Infinity, 0, 1e30])).dataSync();
      expect(Array.from(extremes)).toEqual([NaN, Infinity, 0, Math.fround(1e30)]);
    });

    it('say what does not fit', () => {
      const x = normal([2, 3, 4, 8], 1) as tf.Tensor4D;
      const filter = normal([3, 3, 9, 1], 2) as tf.Tensor4D;
      const convolve = (): tf.Tensor => depthwiseGroups(x, [{ filter, bias: tf.zeros([9]) }]);
      expect(convolve).toThrow(/map: expected at least 9 channels, received \[2, 3, 4, 8\]/);
    });
  },
  ['tensorflow'],
);

/** Attention by softmax, written out where the addon is not to be used. */
function attendBySoftmax({ queries, keys, values }: Inputs, heads: number): tf.Tensor {
  const tokens = [queries, keys, values] as [tf.Tensor3D, tf.Tensor3D, tf.Tensor3D];
  return tf.tidy(() => {
    const own = ownSoftmaxAttention(...tokens, heads);
    if (own !== null) return own;
    const byHead = (x: tf.Tensor): tf.Tensor => {
      const [images, rows, channels] = x.shape as [number, number, number];
      return tf.transpose(tf.reshape(x, [images, rows, heads, channels / heads]), [0, 2, 1, 3]);
    };
    const [q, k, v] = [queries!, keys!, values!].map(byHead) as [tf.Tensor, tf.Tensor, tf.Tensor];
    const similarities = tf.mul((queries!.shape[2]! / heads) ** -0.5, tf.matMul(q, k, false, true));
    return tf.reshape(tf.transpose(tf.matMul(tf.softmax(similarities), v), [0, 2, 1, 3]), queries!.shape);
  });
}

/** The error function by its series, in float64; beyond 4 it is 1 to float32. */
function erf(x: number): number {
  if (Math.abs(x) > 4) return Math.sign(x);
  let [term, sum] = [x, x];
  for (let n = 1; n < 120; n++) {
    term *= (-x * x) / n;
    sum += term / (2 * n + 1);
  }
  return (2 / Math.sqrt(Math.PI)) * sum;
}
