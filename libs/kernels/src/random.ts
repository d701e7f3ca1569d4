/** Random numbers of a seed, the same on every engine, and the layers that drop by them. */
import * as tf from '@tensorflow/tfjs-core';
import { nativeOps } from '#native-ops';
import { philoxUniform, philoxWords } from './philox';

/**
 * Uniform random numbers that are a function of the seed alone, the same on every engine.
 * @param shape of the result.
 * @param seed int32 [2].
 * @returns float32 in [0, 1).
 */
export function uniform<R extends tf.Rank>(shape: tf.ShapeMap[R], seed: tf.Tensor1D): tf.Tensor<R> {
  const native = nativeOps();
  if (native === null) return tf.tensor(philoxUniform(readSeed(seed), tf.util.sizeFromShape(shape)), shape);
  return tf.tidy(() =>
    native.run<tf.Tensor<R>>(
      'StatelessRandomUniform',
      [tf.tensor1d(shape, 'int32'), seed],
      [native.type('dtype', 'float32'), native.type('T', 'int32'), native.type('Tseed', 'int32')],
    ),
  );
}

/**
 * Derives an independent seed, so that each layer of a step has its own.
 * @param seed int32 [2].
 * @param index a number of the layer or sample, fixed when the step is recorded.
 * @returns int32 [2].
 */
export function foldSeed(seed: tf.Tensor1D, index: number): tf.Tensor1D {
  return tf.tidy(() => tf.add(scrambleSeed(seed), tf.tensor1d([index, 0], 'int32')));
}

function scrambleSeed(seed: tf.Tensor1D): tf.Tensor1D {
  const native = nativeOps();
  if (native === null) return tf.tensor1d(philoxWords(readSeed(seed), 2), 'int32');
  return native.run<tf.Tensor1D>(
    'StatelessRandomUniformFullInt',
    [tf.tensor1d([2], 'int32'), seed],
    [native.type('dtype', 'int32'), native.type('T', 'int32'), native.type('Tseed', 'int32')],
  );
}

/**
 * Dropout: zeroes each element with probability `rate` and scales the rest by `1 / (1 - rate)`.
 * @param x float32, any shape.
 * @param rate in [0, 1).
 * @param seed int32 [2].
 * @returns the shape of x.
 */
export function dropout<T extends tf.Tensor>(x: T, rate: number, seed: tf.Tensor1D): T {
  return dropByMask(x, x.shape, rate, seed, 'dropout');
}

/**
 * Stochastic depth: zeroes whole samples with probability `rate` and scales the rest by `1 / (1 - rate)`
 * (Huang et al., 2016).
 * @param x float32 [N, ...].
 * @param rate in [0, 1).
 * @param seed int32 [2].
 * @returns the shape of x.
 */
export function dropPath<T extends tf.Tensor>(x: T, rate: number, seed: tf.Tensor1D): T {
  return dropByMask(x, [x.shape[0] ?? 1, ...x.shape.slice(1).map(() => 1)], rate, seed, 'dropPath');
}

function dropByMask<T extends tf.Tensor>(x: T, shape: number[], rate: number, seed: tf.Tensor1D, where: string): T {
  if (!(rate >= 0 && rate < 1)) throw new RangeError(`${where}: expected a rate in [0, 1), received ${rate}`);
  if (rate === 0) return tf.clone(x);
  return tf.tidy(() => {
    const kept = tf.cast(tf.greaterEqual(uniform(shape, seed), rate), 'float32');
    return tf.mul(x, tf.mul(kept, 1 / (1 - rate)));
  }) as T;
}

function readSeed(seed: tf.Tensor1D): readonly [number, number] {
  const [first = 0, second = 0] = seed.dataSync();
  return [first, second];
}
