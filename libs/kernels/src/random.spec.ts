/** Random numbers on every engine: TensorFlow's bits, their spread, and what is dropped by them. */
import * as tf from '@tensorflow/tfjs-core';
import { random } from './index';
import { philoxUniform } from './philox';
import { expectClose, expectNoLeaks, onEngines, wavesTensor } from '@pyramidal/testing';

/** `tf.random.stateless_uniform([5], seed=[7, -3])` of Python TensorFlow 2.21. */
const FROM_PYTHON = [
  0.4346421957015991, 0.06527590751647949, 0.7476129531860352, 0.14876413345336914, 0.5897864103317261,
];

onEngines('random numbers', () => {
  it('are those of TensorFlow, bit for bit', async () => {
    await expectNoLeaks(() => {
      const seed = tf.tensor1d([7, -3], 'int32');
      const few = random.uniform([5], seed);
      expect(Array.from(few.dataSync())).toEqual(FROM_PYTHON);
      const many = random.uniform([70, 101], seed);
      expect(many.shape).toEqual([70, 101]);
      expectClose(many.dataSync(), philoxUniform([7, -3], 7070), {});
      tf.dispose([seed, few, many]);
    });
  });

  it('spread evenly over [0, 1)', () => {
    const values = tf.tidy(() => Array.from(random.uniform([20000], tf.tensor1d([1, 2], 'int32')).dataSync()));
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    expect(mean).toBeCloseTo(0.5, 2);
    expect(Math.min(...values)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...values)).toBeLessThan(1);
  });

  it('foldSeed gives every layer and step a seed of its own', () => {
    const seeds = [0, 1, 2].flatMap((step) =>
      [0, 1, 2].map((layer) =>
        tf.tidy(() =>
          random
            .foldSeed(tf.tensor1d([5, step], 'int32'), layer)
            .dataSync()
            .join(),
        ),
      ),
    );
    expect(new Set(seeds).size).toBe(9);
    expect(seeds[4]).toBe('-1337012929,1173993849');
  });

  it('dropout keeps the expected value, and drops the same for the same seed', async () => {
    await expectNoLeaks(() => {
      const [seed, other] = [tf.tensor1d([1, 1], 'int32'), tf.tensor1d([1, 2], 'int32')];
      const x = tf.ones([100, 50]);
      const [a, b, c] = [random.dropout(x, 0.25, seed), random.dropout(x, 0.25, seed), random.dropout(x, 0.25, other)];
      const values = Array.from(a.dataSync());
      expect(new Set(values)).toEqual(new Set([0, Math.fround(4 / 3)]));
      expect(values.filter((value) => value === 0).length / 5000).toBeCloseTo(0.25, 1);
      expectClose(b.dataSync(), values, {});
      expect(Array.from(c.dataSync())).not.toEqual(values);
      tf.dispose([seed, other, x, a, b, c]);
    });
  });

  it('dropPath drops whole samples, and its gradient is the mask', () => {
    tf.tidy(() => {
      const seed = tf.tensor1d([3, 4], 'int32');
      const x = wavesTensor<tf.Rank.R3>([12, 3, 2]);
      const mask = Array.from(
        tf
          .grad((z: tf.Tensor) => tf.sum(random.dropPath(z, 0.5, seed)))(x)
          .dataSync(),
      );
      for (let n = 0; n < 12; n++) expect(new Set(mask.slice(6 * n, 6 * n + 6)).size).toBe(1);
      expect(new Set(mask)).toEqual(new Set([0, 2]));
      expectClose(
        random.dropPath(x, 0.5, seed).dataSync(),
        x.dataSync().map((value, i) => value * (mask[i] ?? NaN)),
        {},
      );
    });
  });

  it('a rate of 0 changes nothing, a rate of 1 is refused by name', () => {
    tf.tidy(() => {
      const [x, seed] = [tf.tensor1d([1, 2]), tf.tensor1d([0, 0], 'int32')];
      expect(Array.from(random.dropPath(x, 0, seed).dataSync())).toEqual([1, 2]);
      expect(() => random.dropout(x, 1, seed)).toThrow('dropout: expected a rate in [0, 1), received 1');
    });
  });
});
