/** A training step against PyTorch's optimizers, and its accumulation, seeds and errors. */
import * as tf from '@tensorflow/tfjs-core';
import { initializers, Module, Parameter } from '@pyramidal/nn';
import { openRuntime } from '@pyramidal/runtime';
import { expectClose, expectNoLeaks } from '@pyramidal/testing';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { adamW } from './adamw';
import type { Optimizer } from './optimizer';
import { sgd } from './sgd';
import { trainStep, type Losses, type TrainStep } from './train-step';

beforeAll(() => openRuntime({ engine: 'cpu' }));

interface Recorded {
  readonly weight: number[];
  readonly bias: number[];
  readonly gradNorm: number;
  readonly ema?: { readonly weight: number[]; readonly bias: number[] };
}
type Cases = Record<string, Recorded[]>;

const cases = JSON.parse(readFileSync(join(__dirname, '../fixtures/optimizers.json'), 'utf8')) as Cases;

/** The two parameters of fixtures/make_fixtures.py; the weight has PyTorch's shape [3, 2] and lies transposed here. */
class Pair extends Module {
  readonly weight = new Parameter({ shape: [2, 3], layout: 'linear', init: initializers.zeros });
  readonly bias = new Parameter({ shape: [3], init: initializers.zeros });

  constructor() {
    super();
    this.weight.assignTorch(start(6, 0));
    this.bias.assignTorch(start(3, 6));
  }
}

const start = (size: number, offset: number): Float32Array =>
  Float32Array.from({ length: size }, (_, i) => Math.sin(offset + i + 1));

const gradient = (size: number, offset: number, step: number): Float32Array =>
  Float32Array.from({ length: size }, (_, i) => Math.cos(0.7 * (offset + i) + 1.3 * step) * 10 ** ((step % 3) - 1));

/** A loss whose gradients are the batch. */
const linearLoss =
  (module: Pair) =>
  ({ weight, bias }: tf.NamedTensorMap): Losses => {
    const weighted = tf.sum(tf.mul(module.weight.variable, tf.transpose(weight!)));
    const biased = tf.sum(tf.mul(module.bias.variable, bias!));
    return { loss: tf.add(weighted, biased), weighted: weighted as tf.Scalar, biased: biased as tf.Scalar };
  };

function batchOf(step: number, scale = 1): tf.NamedTensorMap {
  return tf.tidy(() => ({
    weight: tf.mul(tf.tensor2d(gradient(6, 0, step), [3, 2]), scale),
    bias: tf.mul(tf.tensor1d(gradient(3, 6, step)), scale),
  }));
}

interface Setup {
  readonly optimizer: (module: Pair) => Optimizer;
  readonly clipGradNorm?: number;
  readonly emaDecay?: number;
  readonly accumulation?: number;
}

function setUp({ optimizer, ...rest }: Setup): { module: Pair; step: TrainStep } {
  const module = new Pair();
  return { module, step: trainStep({ module, loss: linearLoss(module), optimizer: optimizer(module), ...rest }) };
}

async function values(module: Pair): Promise<number[]> {
  return [...(await module.weight.toTorch()), ...(await module.bias.toTorch())];
}

async function expectTrajectory(setup: Setup, lr: number, expected: readonly Recorded[]): Promise<void> {
  const { module, step } = setUp(setup);
  for (const [update, { weight, bias, gradNorm, ema }] of expected.entries()) {
    const batch = batchOf(update);
    const result = step.run([batch], { update, lr: lr * 0.9 ** update, seed: 0 });
    const tolerance = { rtol: 2e-6, atol: 2e-7 };
    expectClose(await values(module), [...weight, ...bias], tolerance, `step ${update}`);
    expectClose(await result['gradNorm']!.data(), [gradNorm], tolerance, `gradient norm ${update}`);
    if (ema !== undefined) {
      const averaged = await step.ema!.borrowedBy(() => values(module));
      expectClose(averaged, [...ema.weight, ...ema.bias], tolerance, `average ${update}`);
    }
    tf.dispose([batch, result]);
  }
  step.dispose();
  module.dispose();
}

const adamWOptions = { weightDecay: 0.05, betas: [0.9, 0.99], epsilon: 1e-3 } as const;

describe('optimizers follow PyTorch (fixtures/make_fixtures.py)', () => {
  it.each<[string, number, Setup]>([
    ['adamw', 0.02, { optimizer: (m) => adamW(m.parameters(), adamWOptions) }],
    [
      'adamw_clip_ema',
      0.02,
      { optimizer: (m) => adamW(m.parameters(), adamWOptions), clipGradNorm: 1.5, emaDecay: 0.9 },
    ],
    [
      'adamw_groups',
      0.02,
      { optimizer: (m) => adamW(m.parameters(), { groups: [{ match: 'wei', lrScale: 0.1, decayScale: 10 }] }) },
    ],
    ['sgd', 0.1, { optimizer: (m) => sgd(m.parameters()) }],
    ['sgd_momentum', 0.1, { optimizer: (m) => sgd(m.parameters(), { momentum: 0.9, weightDecay: 0.01 }) }],
    [
      'sgd_nesterov',
      0.1,
      { optimizer: (m) => sgd(m.parameters(), { momentum: 0.9, weightDecay: 0.01, nesterov: true }) },
    ],
  ])('%s', (name, lr, setup) => expectTrajectory(setup, lr, cases[name]!));
});

describe('trainStep', () => {
  const optimizer = (module: Pair): Optimizer => adamW(module.parameters(), adamWOptions);

  it('averages the gradients of accumulated batches, and reports the mean loss', async () => {
    const whole = setUp({ optimizer, clipGradNorm: 1.5 });
    const parts = setUp({ optimizer, clipGradNorm: 1.5, accumulation: 3 });
    for (let update = 0; update < 3; update++) {
      const options = { update, lr: 0.02, seed: 0 };
      const one = whole.step.run([batchOf(update)], options);
      const three = parts.step.run(
        [0.5, 1, 1.5].map((scale) => batchOf(update, scale)),
        options,
      );
      expect(Object.keys(three)).toEqual(['loss', 'weighted', 'biased', 'gradNorm', 'weightNorm']);
      for (const name of Object.keys(one)) {
        expectClose(await three[name]!.data(), await one[name]!.data(), { rtol: 1e-5 }, name);
      }
      expectClose(await values(parts.module), await values(whole.module), { rtol: 1e-6 }, `step ${update}`);
    }
  });

  it.each<[string, Setup['optimizer']]>([
    ['adamw', optimizer],
    ['sgd', (module) => sgd(module.parameters(), { momentum: 0.9, weightDecay: 0.1 })],
  ])('leaves parameters that the loss does not reach as they are (%s)', async (_, make) => {
    const module = new Pair();
    const loss = ({ bias }: tf.NamedTensorMap): Losses => ({ loss: tf.sum(tf.mul(module.bias.variable, bias!)) });
    const step = trainStep({ module, loss, optimizer: make(module) });
    for (const update of [0, 1]) step.run([batchOf(0)], { update, lr: 0.1, seed: 0 });
    expectClose(await module.weight.toTorch(), start(6, 0), {});
    expect((await module.bias.toTorch())[0]).not.toBe(start(3, 6)[0]);
  });

  it('gives every batch of every update a seed of its own', async () => {
    const module = new Pair();
    const seeds: number[][] = [];
    const loss = (batch: tf.NamedTensorMap, seed: tf.Tensor1D): Losses => {
      seeds.push(Array.from(seed.dataSync()));
      return linearLoss(module)(batch);
    };
    const step = trainStep({ module, loss, optimizer: optimizer(module), accumulation: 2 });
    for (const update of [0, 1]) step.run([batchOf(0), batchOf(1)], { update, lr: 0.1, seed: 7 });
    expect(seeds).toEqual([
      [7, 0],
      [7, 1],
      [7, 2],
      [7, 3],
    ]);
  });

  it('names a group that matches no parameter', () => {
    const groups = [{ match: 'backbone.', lrScale: 0.1 }];
    expect(() => adamW(new Pair().parameters(), { groups })).toThrow(
      "optimizer groups: no parameter matches 'backbone.'; the first one is weight",
    );
  });

  it('names the number of batches it wants', () => {
    const { step } = setUp({ optimizer, accumulation: 2 });
    expect(() => step.run([batchOf(0)], { update: 0, lr: 1, seed: 0 })).toThrow('expected 2 batches, received 1');
  });

  it.each([
    ['adamw', { optimizer, emaDecay: 0.9, clipGradNorm: 1 }],
    ['sgd', { optimizer: (m: Pair) => sgd(m.parameters(), { momentum: 0.9, nesterov: true }), accumulation: 2 }],
  ])('leaves the tensor count unchanged (%s)', (_, setup: Setup) =>
    expectNoLeaks(() => {
      const { module, step } = setUp(setup);
      const made = tf.memory().numTensors;
      for (let update = 0; update < 5; update++) {
        const batches = Array.from({ length: step.accumulation }, () => batchOf(update));
        tf.dispose(step.run(batches, { update, lr: 0.1, seed: 0 }));
        batches.forEach((batch) => tf.dispose(batch));
        expect(tf.memory().numTensors).toBe(made);
      }
      step.dispose();
      module.dispose();
    }),
  );
});
