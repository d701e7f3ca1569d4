import { conv2d, depthwiseConv2d } from '@pyramidal/kernels';
import { expectClose, onEngines, wavesTensor } from '@pyramidal/testing';
import * as tf from '@tensorflow/tfjs-core';
import { compile, type CompiledFunction } from '../compile';
import type { Precision } from './half-width';

type Tensors = { [name: string]: tf.Tensor };

const CHANNELS = 8;
const image = (): tf.Tensor4D => wavesTensor<tf.Rank.R4>([2, 6, 6, CHANNELS]);
const filter = (phase = 1): tf.Tensor4D => wavesTensor<tf.Rank.R4>([3, 3, CHANNELS, CHANNELS], phase);
const matrix = (phase = 2): tf.Tensor2D => wavesTensor<tf.Rank.R2>([CHANNELS, CHANNELS], phase);
const rows = (x: tf.Tensor): tf.Tensor2D => tf.reshape(x, [-1, CHANNELS]);
const convolved = (x: tf.Tensor4D): tf.Tensor4D => conv2d(x, filter(), { stride: 1, padding: 1 });

/** An operation's value, and the gradient of the sum of its squares. */
const withGradient =
  (operation: (x: tf.Tensor4D) => tf.Tensor) =>
  ({ x }: { x: tf.Tensor4D }): Tensors => {
    const { value, grad } = tf.valueAndGrad((input: tf.Tensor) => tf.sum(tf.square(operation(input as tf.Tensor4D))))(
      x,
    );
    return { value, grad, result: operation(x) };
  };

const OPERATIONS: Readonly<Record<string, (x: tf.Tensor4D) => tf.Tensor>> = {
  'a product': (x) => tf.matMul(rows(x), matrix()),
  'a batch of products': (x) => tf.matMul(x, x, false, true),
  'a convolution': convolved,
  'products of a product in another order': (x) =>
    tf.matMul(tf.transpose(tf.reshape(tf.matMul(rows(x), matrix()), [8, 9, CHANNELS]), [0, 2, 1]), tf.ones([8, 9, 3])),
};

/** The relative rounding of 8 and of 11 bits, a few times over. */
const ROUNDING = { bf16: 0.02, fp16: 0.0025 } as const;

/** Runs once; returns the outputs' values and how often each operation is in the graph. */
function run(fn: (inputs: { x: tf.Tensor4D }) => Tensors, precision: Precision) {
  const step: CompiledFunction<{ x: tf.Tensor4D }, Tensors> = compile(fn, { precision });
  const values = tf.tidy(() =>
    Object.values(step({ x: image() })).map((output) => ({ values: output.dataSync(), dtype: output.dtype })),
  );
  const { operations } = step.explain()[0]!;
  step.dispose();
  return { values, operations };
}

const largest = (values: ArrayLike<number>): number =>
  Array.from(values).reduce((most, value) => Math.max(most, Math.abs(value)), 0);

onEngines(
  'half width',
  () => {
    describe.each(['bf16', 'fp16'] as const)('%s', (precision) => {
      it.each(Object.keys(OPERATIONS))('computes %s and its gradients, and gives float32', (name) => {
        const fn = withGradient(OPERATIONS[name]!);
        const [full, half] = [run(fn, 'float32').values, run(fn, precision).values];
        for (const [i, { values, dtype }] of half.entries()) {
          const expected = full[i]!.values;
          expect(dtype).toBe('float32');
          expectClose(values, expected, { atol: ROUNDING[precision] * largest(expected) });
          expect(Array.from(values)).not.toEqual(Array.from(expected));
        }
      });

      it('sums within products in float32', () => {
        const ones = ({ x }: { x: tf.Tensor4D }): Tensors => {
          const zero = tf.mul(tf.sum(x), 0);
          return { y: tf.matMul(tf.add(tf.ones([2, 4096]), zero), tf.fill<tf.Rank.R2>([4096, 2], 0.25)) };
        };
        expect(Array.from(run(ones, precision).values[0]!.values)).toEqual([1024, 1024, 1024, 1024]);
      });
    });

    it('leaves all but products and convolutions as they are', () => {
      const others = ({ x }: { x: tf.Tensor4D }): Tensors => ({
        depthwise: depthwiseConv2d(x, wavesTensor<tf.Rank.R3>([3, 3, CHANNELS]), { stride: 1, padding: 1 }),
        softmax: tf.softmax(x),
        root: tf.sqrt(tf.add(tf.mean(tf.square(x)), 1)),
      });
      const [full, half] = [run(others, 'float32'), run(others, 'bf16')];
      expect(half.operations).toEqual(full.operations);
      expect(half.values).toEqual(full.values);
    });

    it('gives the filter of a map of one cell a gradient with no gaps', () => {
      const gradient = ({ x }: { x: tf.Tensor4D }): Tensors => {
        const cell = tf.slice(x, [0, 0, 0, 0], [2, 1, 1, CHANNELS]);
        const strided = (kernel: tf.Tensor): tf.Tensor =>
          conv2d(cell, kernel as tf.Tensor4D, { stride: 2, padding: 1 });
        return { filter: tf.grad(strided)(filter()) };
      };
      const [half, full] = [run(gradient, 'bf16').values[0]!.values, run(gradient, 'float32').values[0]!.values];
      expectClose(half, full, { atol: ROUNDING.bf16 * largest(full) });
    });

    it('casts a tensor once, and none between one product and the next', () => {
      const twice = ({ x }: { x: tf.Tensor4D }): Tensors => ({
        a: convolved(x),
        b: conv2d(x, filter(3), { stride: 1, padding: 1 }),
      });
      // The image, two filters, two results.
      expect(run(twice, 'bf16').operations['Cast']).toBe(5);
      const chain = ({ x }: { x: tf.Tensor4D }): Tensors => ({ y: tf.matMul(rows(convolved(x)), matrix()) });
      // The image, the filter, the matrix, the result; the one between is read as it was.
      const { operations } = run(chain, 'bf16');
      expect(operations['Cast']).toBeLessThanOrEqual(5);
    });
  },
  ['tensorflow'],
);

onEngines(
  'half width',
  () => {
    it('says that there is none', () => {
      const step = compile(withGradient(convolved), { name: 'train', precision: 'bf16' });
      expect(() => tf.tidy(() => step({ x: image() }))).toThrow(
        /^train: precision bf16 needs compiled steps on a TensorFlow engine; on (cpu|wasm), steps run here in float32$/,
      );
    });
  },
  ['cpu', 'wasm'],
);
