import * as tf from '@tensorflow/tfjs-core';
import { BatchNorm, ForwardPass, Linear, Module } from '@pyramidal/nn';
import { openRuntime, type Runtime } from '@pyramidal/runtime';
import { expectClose } from '@pyramidal/testing';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { adamW } from './adamw';
import { loadCheckpoint, saveCheckpoint } from './checkpoint';
import { trainStep, type Losses, type TrainStep } from './train-step';

/** Two layers with batch statistics and dropout: parameters, buffers and randomness. */
class Network extends Module {
  // A bias would vanish in the norm: its gradient is rounding alone, which Adam blows up.
  readonly hidden = new Linear(3, 16, { bias: false });
  readonly norm = new BatchNorm(16);
  readonly head = new Linear(16, 2);

  forward(x: tf.Tensor2D, pass: ForwardPass): tf.Tensor2D {
    return this.head.forward(pass.dropout(tf.relu(this.norm.forward(this.hidden.forward(x), pass)), 0.1));
  }
}

let runtime: Runtime;
beforeAll(async () => {
  runtime = await openRuntime();
});

function makeStep(compile: boolean, accumulation: number): TrainStep {
  const module = new Network();
  module.initialize(1);
  const loss = ({ x, y }: tf.NamedTensorMap, seed: tf.Tensor1D): Losses => {
    const error = tf.sub(module.forward(x as tf.Tensor2D, new ForwardPass({ mode: 'train', seed })), y!);
    const squared = tf.mean(tf.square(error)) as tf.Scalar;
    return { loss: tf.mul(squared, 2), squared, absolute: tf.mean(tf.abs(error)) as tf.Scalar };
  };
  const optimizer = adamW(module.parameters(), { weightDecay: 0.05, groups: [{ match: 'head.', lrScale: 0.5 }] });
  return trainStep({ module, loss, optimizer, clipGradNorm: 0.5, emaDecay: 0.9, accumulation, compile });
}

function batchOf(index: number): tf.NamedTensorMap {
  const values = Float32Array.from({ length: 40 }, (_, i) => Math.sin(index * 40 + i));
  return { x: tf.tensor2d(values.subarray(0, 24), [8, 3]), y: tf.tensor2d(values.subarray(24), [8, 2]) };
}

function update(step: TrainStep, index: number): number[] {
  const batches = Array.from({ length: step.accumulation }, (_, i) => batchOf(index * step.accumulation + i));
  const values = step.run(batches, { update: index, lr: 0.01 / (index + 1), seed: 9 });
  const numbers = Object.values(values).flatMap((value) => Array.from(value.dataSync()));
  tf.dispose([values, ...batches]);
  return numbers;
}

function stateOf({ module, state }: TrainStep): number[] {
  const weights = [...module.state().values()].flatMap(({ variable }) => Array.from(variable.dataSync()));
  const others = [...state.values()].flatMap((slots) =>
    [...slots.readers().values()].flatMap((read) => Array.from(read())),
  );
  return [...weights, ...others];
}

const release = (...steps: TrainStep[]): void =>
  steps.forEach((step) => {
    step.dispose();
    step.module.dispose();
  });

describe.each([1, 3])('a compiled step, accumulation %i', (accumulation) => {
  it('gives the numbers of the eager one', () => {
    const [compiled, eager] = [makeStep(true, accumulation), makeStep(false, accumulation)];
    for (let index = 0; index < 10; index++) {
      expectClose(update(compiled, index), update(eager, index), { rtol: 1e-5, atol: 1e-7 }, `step ${index}`);
    }
    expectClose(stateOf(compiled), stateOf(eager), { rtol: 1e-4, atol: 1e-6 }, 'state');
    const graphs = runtime.engine.startsWith('tensorflow') ? Math.min(accumulation, 2) : 0;
    expect(compiled.explain()).toHaveLength(graphs);
    release(compiled, eager);
  });

  it('goes on from a checkpoint with the same bits', () => {
    const folder = mkdtempSync(join(tmpdir(), 'compiled-'));
    const path = join(folder, 'last.safetensors');
    const whole = makeStep(true, accumulation);
    for (let index = 0; index < 3; index++) update(whole, index);
    saveCheckpoint(path, whole, { step: 3, epoch: 1, updatesPerEpoch: 3, seed: 9, config: '' });
    const resumed = makeStep(true, accumulation);
    expect(loadCheckpoint(path, resumed).step).toBe(3);
    for (let index = 3; index < 8; index++) expect(update(resumed, index)).toEqual(update(whole, index));
    expect(stateOf(resumed)).toEqual(stateOf(whole));
    release(whole, resumed);
    rmSync(folder, { recursive: true });
  });

  it('lends its averages and goes on as if nothing had been', async () => {
    const [lender, other] = [makeStep(true, accumulation), makeStep(true, accumulation)];
    for (let index = 0; index < 4; index++) {
      expect(update(lender, index)).toEqual(update(other, index));
      const averages = [...lender.ema!.slots.readers().values()].flatMap((read) => Array.from(read()));
      const lent = await lender.ema!.borrowedBy(async () =>
        [...lender.optimizer.parameters.values()].flatMap(({ variable }) => Array.from(variable.dataSync())),
      );
      expect(lent).toEqual(averages);
    }
    expect(stateOf(lender)).toEqual(stateOf(other));
    release(lender, other);
  });

  it('keeps the tensor count', () => {
    const before = tf.memory().numTensors;
    const step = makeStep(true, accumulation);
    update(step, 0);
    const made = tf.memory().numTensors;
    for (let index = 1; index < 20; index++) update(step, index);
    expect(tf.memory().numTensors).toBe(made);
    release(step);
    expect(tf.memory().numTensors).toBe(before);
  });
});
