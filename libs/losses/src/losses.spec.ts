/** Detection losses and their gradients against reference numbers (fixtures/losses.json). */
import * as tf from '@tensorflow/tfjs-core';
import {
  expectClose,
  expectGoldenStats,
  goldenNoise,
  goldenValues,
  inEngine,
  readFixture,
  type GoldenFull,
  type GoldenStats,
} from '@pyramidal/testing';
import { binaryCrossEntropy, focalLoss, giouLoss, smoothL1 } from './losses';

interface GoldenLoss {
  readonly none: GoldenFull;
  readonly mean: number;
  readonly weight: readonly number[];
  readonly weighted_rows: readonly number[];
  readonly weight_rows: readonly number[];
  readonly sum: number;
  readonly grad_of_mean: GoldenFull;
  readonly labels: readonly number[];
  readonly pred: GoldenFull;
  readonly target: GoldenFull;
}

const { cases } = readFixture(__dirname, 'losses') as { cases: Record<string, GoldenLoss> };
const { focal_extreme: extreme } = (readFixture(__dirname, 'losses') as { cases: Record<'focal_extreme', GoldenExtreme> }).cases; // prettier-ignore

interface GoldenExtreme {
  readonly pred: number[][];
  readonly label: number[];
  readonly none: GoldenFull;
  readonly grad_of_sum: GoldenFull;
}

type Averages = Readonly<Record<string, number>>;

/** What the heads do with losses: weigh the rows and divide their sum. */
const shared = (losses: tf.Tensor, weights: readonly number[], factor: number): number =>
  tf.sum(tf.mul(tf.reshape(losses, [-1]), [...weights])).dataSync()[0]! / factor;

const named = (name: string, shape: [number, number], factor: number): tf.Tensor2D =>
  tf.tensor2d(
    Float32Array.from(goldenNoise(name, shape), (value) => factor * Math.fround(value)),
    shape,
  );

const tensor = ({ data, shape }: GoldenFull): tf.Tensor2D =>
  tf.tensor2d(goldenValues({ data, shape }), shape as [number, number]);

inEngine();

function expectLoss(loss: (pred: tf.Tensor) => tf.Tensor, pred: tf.Tensor, expected: GoldenLoss, weight = 1): void {
  const values = loss(pred);
  expectClose(tf.mul(values, weight).dataSync(), goldenValues(expected.none), { rtol: 1e-5, atol: 1e-5 }, 'values');
  expectClose([tf.sum(values).dataSync()[0]! * weight], [expected.sum], { rtol: 1e-5 }, 'sum');
  const gradient = tf.grad((x) => tf.mul(tf.mean(loss(x)), weight))(pred);
  const wanted = goldenValues(expected.grad_of_mean);
  expectClose(gradient.dataSync(), wanted, { atol: 1e-4 * Math.max(...wanted.map(Math.abs)) }, 'gradient');
}

describe('losses', () => {
  it.each([
    ['l1', 0],
    ['smooth_l1_beta1', 1],
    ['smooth_l1_beta1_9', 1 / 9],
  ])('smoothL1 equals the reference: %s', (name, beta) => {
    const [pred, target] = [named('loss.reg.pred', [12, 4], 2), named('loss.reg.target', [12, 4], 2)];
    expectLoss((x) => smoothL1(x, target, beta), pred, cases[name]!);
  });

  it('giouLoss equals the reference', () => {
    const { pred, target } = cases['giou_weight10']!;
    expectLoss((x) => giouLoss(x as tf.Tensor2D, tensor(target)), tensor(pred), cases['giou_weight10']!, 10);
  });

  it.each([
    ['l1', 1, 0],
    ['smooth_l1_beta1', 1, 1],
    ['smooth_l1_beta1_9', 1, 1 / 9],
    ['l1_weight2', 2, 0],
  ])('smoothL1 of weighted rows, shared out among 9, equals the reference: %s', (name, weight, beta) => {
    const { weighted_rows, weighted_avg_factor_9: expected, mean } = cases[name] as GoldenLoss & Averages;
    const loss = tf.mul(
      smoothL1(named('loss.reg.pred', [12, 4], 2), named('loss.reg.target', [12, 4], 2), beta),
      weight,
    );
    expectClose([tf.mean(loss).dataSync()[0]!], [mean], { rtol: 1e-5 }, 'mean');
    expectClose([shared(tf.sum(loss, 1), weighted_rows, 9)], [expected!], { rtol: 1e-5 }, 'weighted');
  });

  it('giouLoss and binaryCrossEntropy of weighted rows equal the reference', () => {
    const giou = cases['giou_weight10'] as GoldenLoss & Averages;
    const overlaps = tf.mul(giouLoss(tensor(giou.pred), tensor(giou.target)), 10);
    expectClose([shared(overlaps, giou.weight_rows, 20)], [giou.weighted_avg_factor_20!], { rtol: 1e-5 }, 'GIoU');
    const binary = cases['binary_cross_entropy_rpn'] as GoldenLoss & Averages;
    const targets = tf.tensor2d(binary.labels.map((label) => [1 - label]));
    const cross = binaryCrossEntropy(named('loss.bce.pred', [10, 1], 3), targets);
    expectClose([shared(cross, binary.weight, 8)], [binary.weighted_avg_factor_8!], { rtol: 1e-5 }, 'cross entropy');
  });

  describe('focalLoss', () => {
    const focal = cases['focal'] as GoldenLoss & Averages & { none: GoldenStats; grad_of_mean: GoldenStats };
    const options = { alpha: 0.25, gamma: 2 };
    const logits = (): tf.Tensor2D => named('loss.focal.pred', [30, 4], 4);
    /** The last label is background. */
    const isClass = (): tf.Tensor2D => tf.cast(tf.oneHot(tf.tensor1d([...focal.labels], 'int32'), 4), 'float32') as tf.Tensor2D; // prettier-ignore

    it('equals the reference: values, means and gradients', () => {
      const loss = focalLoss(logits(), isClass(), options);
      expectGoldenStats(loss.dataSync<'float32'>(), focal.none, { tolerance: 1e-5 }, 'values');
      expectClose([tf.sum(loss).dataSync()[0]!], [focal.sum], { rtol: 1e-5 }, 'sum');
      expectClose(
        [shared(tf.sum(loss, 1), focal.weight, 7)],
        [focal.weighted_avg_factor_7!],
        { rtol: 1e-5 },
        'weighted',
      );
      const other = tf.mul(focalLoss(logits(), isClass(), { alpha: 0.5, gamma: 1.5 }), 2);
      expectClose([tf.mean(other).dataSync()[0]!], [focal['gamma1.5_alpha0.5_weight2_mean']!], { rtol: 1e-5 }, 'other');
      const gradient = tf.grad((x) => tf.mean(focalLoss(x as tf.Tensor2D, isClass(), options)))(logits());
      const tolerance = { tolerance: 1e-4, relativeTo: 'max' } as const;
      expectGoldenStats(gradient.dataSync<'float32'>(), focal.grad_of_mean, tolerance, 'gradient');
    });

    it('is exact far from zero', () => {
      const { pred, label, none, grad_of_sum } = extreme;
      const targets = tf.cast(tf.oneHot(tf.tensor1d(label, 'int32'), 4), 'float32') as tf.Tensor2D;
      const lossOf = (x: tf.Tensor): tf.Tensor => focalLoss(x as tf.Tensor2D, targets, options);
      expectClose(lossOf(tf.tensor2d(pred)).dataSync(), goldenValues(none), { rtol: 1e-6 }, 'values');
      const gradient = tf.grad((x) => tf.sum(lossOf(x)))(tf.tensor2d(pred));
      expectClose(gradient.dataSync(), goldenValues(grad_of_sum), { rtol: 1e-6, atol: 1e-15 }, 'gradient');
    });
  });

  it('binaryCrossEntropy equals the reference, whose label 0 is the object', () => {
    const expected = cases['binary_cross_entropy_rpn']!;
    const targets = tf.tensor2d(expected.labels.map((label) => [1 - label]));
    expectLoss((x) => binaryCrossEntropy(x, targets), named('loss.bce.pred', [10, 1], 3), expected);
  });
});
