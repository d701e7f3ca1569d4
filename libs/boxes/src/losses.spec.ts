import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { openRuntime } from '@pyramidal/runtime';
import { expectClose, goldenNoise, goldenValues, type GoldenFull } from '@pyramidal/testing';
import { binaryCrossEntropy, giouLoss, smoothL1 } from './losses';

interface GoldenLoss {
  readonly none: GoldenFull;
  readonly sum: number;
  readonly grad_of_mean: GoldenFull;
  readonly labels: readonly number[];
  readonly pred: GoldenFull;
  readonly target: GoldenFull;
}

const { cases } = JSON.parse(readFileSync(join(__dirname, '../fixtures/losses.json'), 'utf8')) as {
  cases: Record<string, GoldenLoss>;
};

const named = (name: string, shape: [number, number], factor: number): tf.Tensor2D =>
  tf.tensor2d(
    Float32Array.from(goldenNoise(name, shape), (value) => factor * Math.fround(value)),
    shape,
  );

const tensor = ({ data, shape }: GoldenFull): tf.Tensor2D =>
  tf.tensor2d(goldenValues({ data, shape }), shape as [number, number]);

beforeAll(async () => {
  await openRuntime();
});
beforeEach(() => tf.engine().startScope());
afterEach(() => tf.engine().endScope());

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

  it('binaryCrossEntropy equals the reference, whose label 0 is the object', () => {
    const expected = cases['binary_cross_entropy_rpn']!;
    const targets = tf.tensor2d(expected.labels.map((label) => [1 - label]));
    expectLoss((x) => binaryCrossEntropy(x, targets), named('loss.bce.pred', [10, 1], 3), expected);
  });
});
