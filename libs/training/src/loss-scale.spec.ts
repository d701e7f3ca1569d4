/** Dynamic loss scaling: the same numbers as without, updates that are skipped, and a scale that moves. */
import { Linear, Module } from '@pyramidal/nn';
import { openRuntime } from '@pyramidal/runtime';
import { expectClose, expectNoLeaks, hasNative } from '@pyramidal/testing';
import * as tf from '@tensorflow/tfjs-core';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadCheckpoint, saveCheckpoint } from './checkpoint';
import { createOptimizer } from './create-optimizer';
import type { LossScaleOptions } from './loss-scale';
import { release, stateOf } from './testing/step-state';
import { trainStep, type TrainStep } from './train-step';

/** Parameters that are updated alone, where they are large, and small ones. */
class Network extends Module {
  readonly hidden: Linear;
  readonly middle: Linear;
  readonly head: Linear;

  constructor() {
    super();
    // Plain JavaScript takes a second for what takes the native engine no time.
    const width = tf.getBackend() === 'cpu' ? 16 : 200;
    this.hidden = new Linear(4, width);
    this.middle = new Linear(width, width);
    this.head = new Linear(width, 2);
  }

  forward(x: tf.Tensor2D): tf.Tensor2D {
    return this.head.forward(tf.tanh(this.middle.forward(tf.tanh(this.hidden.forward(x)))));
  }
}

interface Setup {
  readonly optimizer?: 'adamw' | 'sgd';
  readonly lossScale?: LossScaleOptions;
  readonly precision?: 'float32' | 'fp16';
  readonly accumulation?: number;
}

function makeStep({ optimizer: name = 'adamw', ...others }: Setup = {}): TrainStep {
  const module = new Network();
  module.initialize(1);
  const optimizer = createOptimizer(module.parameters(), { name, weightDecay: 0.05 });
  const loss = ({ x, factor }: tf.NamedTensorMap) => ({
    loss: tf.mul(tf.mean(tf.square(module.forward(x as tf.Tensor2D))), factor!) as tf.Scalar,
  });
  return trainStep({ module, loss, optimizer, clipGradNorm: 0.5, emaDecay: 0.9, ...others });
}

/** @param factor of the loss; 1e37 times a scale of 65536 is more than float32 holds. */
function update(step: TrainStep, index: number, factor = 1): Record<string, number> {
  const batches = Array.from({ length: step.accumulation }, (_, i) => ({
    x: tf.tensor2d(
      Float32Array.from({ length: 32 }, (_, k) => Math.sin(index * 64 + i * 32 + k)),
      [8, 4],
    ),
    factor: tf.scalar(factor),
  }));
  const values = step.run(batches, { update: index, lr: 0.01, seed: 9 });
  const numbers = Object.fromEntries(Object.entries(values).map(([name, value]) => [name, value.dataSync()[0]!]));
  tf.dispose([values, ...batches]);
  return numbers;
}

describe.each(['cpu', ...(hasNative() ? (['tensorflow'] as const) : [])] as const)('loss scaling on %s', (engine) => {
  beforeAll(() => openRuntime({ engine }));

  it.each(['adamw', 'sgd'] as const)('by a power of two changes nothing (%s)', (optimizer) => {
    const [scaled, plain] = [makeStep({ optimizer, lossScale: {} }), makeStep({ optimizer })];
    for (let index = 0; index < 4; index++) {
      const { lossScale, skipped, ...values } = update(scaled, index);
      expect({ lossScale, skipped }).toEqual({ lossScale: 65536, skipped: 0 });
      const expected = update(plain, index);
      // Threads of the native engine take sums apart in one way or another.
      expectClose(Object.values(values), Object.values(expected), { rtol: engine === 'cpu' ? 0 : 1e-6 });
    }
    // Adam blows up rounding where a gradient is near zero.
    if (engine === 'cpu' || optimizer === 'sgd')
      expectClose(stateOf(scaled), stateOf(plain), { atol: engine === 'cpu' ? 0 : 1e-7 });
    release(scaled, plain);
  });

  it.each([
    ['adamw', 1],
    ['adamw', 2],
    ['sgd', 1],
  ] as const)('skips an update whose gradients are not finite (%s, accumulation %i)', (optimizer, accumulation) => {
    const step = makeStep({ optimizer, accumulation, lossScale: {} });
    update(step, 0);
    const before = stateOf(step);
    const told = update(step, 1, 1e37);
    expect(told).toMatchObject({ gradNorm: 0, lossScale: 65536, skipped: 1 });
    expect(told['loss']).toBeGreaterThan(1e25);
    expect(Number.isFinite(told['loss'])).toBe(true);
    expect(stateOf(step)).toEqual(before);
    expect(step.lossScale!.state).toEqual({ scale: 32768, finite: 0 });
    expect(update(step, 2)).toMatchObject({ lossScale: 32768, skipped: 0 });
    expect(stateOf(step)).not.toEqual(before);
    release(step);
  });

  it('doubles the scale after so many finite updates in a row', () => {
    const step = makeStep({ lossScale: { initial: 8, growEvery: 3 } });
    const scales = Array.from({ length: 8 }, (_, index) => update(step, index, index === 1 ? 3e38 : 1)['lossScale']);
    expect(scales).toEqual([8, 8, 4, 4, 4, 8, 8, 8]);
    expect(step.lossScale!.state).toEqual({ scale: 16, finite: 0 });
    release(step);
  });

  it('reports a norm that is not finite where the scale can shrink no more, and keeps the weights', () => {
    const step = makeStep({ lossScale: { initial: 2 } });
    const before = stateOf(step);
    expect(update(step, 0, Infinity)).toMatchObject({ gradNorm: 0, skipped: 1 });
    const told = update(step, 1, Infinity);
    expect(told).toMatchObject({ lossScale: 1, skipped: 0 });
    expect(Number.isFinite(told['gradNorm'])).toBe(false);
    expect(stateOf(step)).toEqual(before);
    release(step);
  });

  it('keeps the tensor count', async () => {
    const step = makeStep({ lossScale: {} });
    update(step, 0);
    await expectNoLeaks(() => void update(step, 1, 1e37));
    release(step);
  });
});

(hasNative() ? describe : describe.skip)('fp16 (skipped without the native engine)', () => {
  beforeAll(() => openRuntime({ engine: 'tensorflow' }));

  it('scales by itself, and goes on from a checkpoint with the same bits', () => {
    const folder = mkdtempSync(join(tmpdir(), 'fp16-'));
    const path = join(folder, 'last.safetensors');
    const whole = makeStep({ precision: 'fp16' });
    for (let index = 0; index < 3; index++) update(whole, index, index === 1 ? 1e37 : 1);
    expect(whole.lossScale!.state).toEqual({ scale: 32768, finite: 1 });
    saveCheckpoint(path, whole, { step: 3, epoch: 1, updatesPerEpoch: 3, seed: 9, config: '' });
    const resumed = makeStep({ precision: 'fp16' });
    expect(loadCheckpoint(path, resumed)).toMatchObject({ lossScale: { scale: 32768, finite: 1 } });
    for (let index = 3; index < 7; index++) expect(update(resumed, index)).toEqual(update(whole, index));
    expect(stateOf(resumed)).toEqual(stateOf(whole));
    expect(resumed.lossScale!.state).toEqual(whole.lossScale!.state);
    release(whole, resumed);
    rmSync(folder, { recursive: true });
  });
});
