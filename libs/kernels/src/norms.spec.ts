/** Normalisations against their definitions, and their gradients, on every engine. */
import * as tf from '@tensorflow/tfjs-core';
import { batchNorm, biasAdd, groupNorm, layerNorm } from './index';
import { checkGradients, expectClose, expectNoLeaks, onEngines, waves, wavesTensor } from '@pyramidal/testing';

const SHAPE: [number, number, number, number] = [2, 3, 4, 5];
const CHANNELS = 5;
const ROWS = 24;
const EPSILON = 1e-3;

const affine = (): { x: tf.Tensor4D; scale: tf.Tensor1D; offset: tf.Tensor1D } => ({
  x: wavesTensor<tf.Rank.R4>(SHAPE),
  scale: wavesTensor<tf.Rank.R1>([CHANNELS], 1),
  offset: wavesTensor<tf.Rank.R1>([CHANNELS], 2),
});

/** Mean and biased variance of the given elements, in float64. */
function moments(values: number[]): { mean: number; variance: number } {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return { mean, variance: values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length };
}

onEngines('norms', () => {
  it('biasAdd adds over the last axis, for every rank', async () => {
    await expectNoLeaks(() => {
      for (const shape of [[5], [3, 5], [2, 2, 5], SHAPE]) {
        const x = tf.tensor(waves(shape), shape);
        const bias = wavesTensor<tf.Rank.R1>([CHANNELS], 1);
        const y = biasAdd(x, bias);
        const values = bias.dataSync();
        const expected = waves(shape).map((value, i) => value + (values[i % CHANNELS] ?? NaN));
        expectClose(y.dataSync(), expected, { atol: 1e-6 });
        tf.dispose([x, bias, y]);
      }
    });
  });

  it('batchNorm.train normalises by the batch and gives its mean and biased variance', async () => {
    await expectNoLeaks(() => {
      const { x, scale, offset } = affine();
      const { y, mean, variance } = batchNorm.train(x, scale, offset, EPSILON);
      const [values, s, o] = [x.dataSync(), scale.dataSync(), offset.dataSync()];
      const columns = Array.from({ length: CHANNELS }, (_, c) =>
        moments(Array.from({ length: ROWS }, (_row, r) => values[r * CHANNELS + c] ?? NaN)),
      );
      expectClose(
        mean.dataSync(),
        columns.map((column) => column.mean),
        { atol: 1e-6 },
      );
      expectClose(
        variance.dataSync(),
        columns.map((column) => column.variance),
        { rtol: 1e-5 },
      );
      const expected = values.map((value, i) => {
        const column = columns[i % CHANNELS] as ReturnType<typeof moments>;
        const normal = (value - column.mean) / Math.sqrt(column.variance + EPSILON);
        return normal * (s[i % CHANNELS] ?? NaN) + (o[i % CHANNELS] ?? NaN);
      });
      expectClose(y.dataSync(), expected, { atol: 5e-6 });
      expect(y.shape).toEqual(SHAPE);
      tf.dispose([x, scale, offset, y, mean, variance]);
    });
  });

  it('all norms have the gradients that finite differences give', async () => {
    await expectNoLeaks(async () => {
      const { x, scale, offset } = affine();
      const inputs = [x, scale, offset];
      const train = (a: tf.Tensor, s: tf.Tensor, o: tf.Tensor): tf.Tensor =>
        batchNorm.train(a, s as tf.Tensor1D, o as tf.Tensor1D, EPSILON).y;
      await checkGradients(train as never, inputs, { rtol: 5e-3, atol: 2e-3 });
      const layer = (a: tf.Tensor, s: tf.Tensor, o: tf.Tensor): tf.Tensor =>
        layerNorm(a, s as tf.Tensor1D, o as tf.Tensor1D, 0.1);
      await checkGradients(layer as never, inputs, { rtol: 5e-3, atol: 2e-3 });
      const wide = [
        wavesTensor<tf.Rank.R4>([2, 3, 4, 6]),
        ...[1, 2].map((phase) => wavesTensor<tf.Rank.R1>([6], phase)),
      ];
      const groups = (a: tf.Tensor, s: tf.Tensor, o: tf.Tensor): tf.Tensor =>
        groupNorm(a, s as tf.Tensor1D, o as tf.Tensor1D, { groups: 2, epsilon: 0.1 });
      await checkGradients(groups as never, wide, { rtol: 5e-3, atol: 2e-3 });
      tf.dispose(wide);
      const [mean, variance] = [tf.tensor1d([0, 0.1, 0.2, -0.1, 0.3]), tf.tensor1d([1, 0.5, 2, 0.7, 1])];
      const frozen = (a: tf.Tensor, s: tf.Tensor, o: tf.Tensor): tf.Tensor =>
        batchNorm.infer(a, { mean, variance, scale: s as tf.Tensor1D, offset: o as tf.Tensor1D, epsilon: EPSILON });
      await checkGradients(frozen as never, inputs, { rtol: 5e-3, atol: 2e-3 });
      tf.dispose([mean, variance]);
      tf.dispose(inputs);
    });
  });

  it('groupNorm normalises each group of channels of each sample', async () => {
    await expectNoLeaks(() => {
      const [channels, width, cells] = [6, 3, 12];
      const x = wavesTensor<tf.Rank.R4>([2, 3, 4, channels]);
      const [scale, offset] = [wavesTensor<tf.Rank.R1>([channels], 1), wavesTensor<tf.Rank.R1>([channels], 2)];
      const y = groupNorm(x, scale, offset, { groups: 2, epsilon: EPSILON });
      const [values, s, o] = [Array.from(x.dataSync()), scale.dataSync(), offset.dataSync()];
      const groupOf = (i: number): number =>
        2 * Math.floor(i / (cells * channels)) + Math.floor((i % channels) / width);
      const groups = [0, 1, 2, 3].map((group) => moments(values.filter((_, i) => groupOf(i) === group)));
      const expected = values.map((value, i) => {
        const { mean, variance } = groups[groupOf(i)] as ReturnType<typeof moments>;
        return ((value - mean) / Math.sqrt(variance + EPSILON)) * (s[i % channels] ?? NaN) + (o[i % channels] ?? NaN);
      });
      expectClose(y.dataSync(), expected, { atol: 5e-6 });
      tf.dispose([x, scale, offset, y]);
    });
  });

  it.each([[[2, 3, 4, 5]], [[7, 1]], [[3, 16]], [[900, 37]]])('layerNorm normalises each row of %j', async (shape) => {
    await expectNoLeaks(() => {
      const channels = shape.at(-1)!;
      const x = wavesTensor(shape);
      const [scale, offset] = [wavesTensor<tf.Rank.R1>([channels], 1), wavesTensor<tf.Rank.R1>([channels], 2)];
      const y = layerNorm(x, scale, offset, EPSILON);
      const [values, s, o] = [Array.from(x.dataSync()), scale.dataSync(), offset.dataSync()];
      const rows = Array.from({ length: x.size / channels }, (_, row) =>
        values.slice(row * channels).slice(0, channels),
      );
      const expected = rows.flatMap((row) => {
        const { mean, variance } = moments(row);
        return row.map((value, c) => ((value - mean) / Math.sqrt(variance + EPSILON)) * s[c]! + o[c]!);
      });
      expectClose(y.dataSync(), expected, { atol: 5e-6 });
      tf.dispose([x, scale, offset, y]);
    });
  });

  it('batchNorm.infer equals batchNorm.train when it is given the statistics of the batch', async () => {
    await expectNoLeaks(() => {
      const { x, scale, offset } = affine();
      const { y, mean, variance } = batchNorm.train(x, scale, offset, EPSILON);
      const again = batchNorm.infer(x, { mean, variance, scale, offset, epsilon: EPSILON });
      expectClose(again.dataSync(), y.dataSync(), { atol: 5e-6 });
      tf.dispose([x, scale, offset, y, mean, variance, again]);
    });
  });
});
