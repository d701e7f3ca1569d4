/** Modules: names, shared and frozen parameters, initial values, memory. */
import * as tf from '@tensorflow/tfjs-core';
import { openRuntime } from '@pyramidal/runtime';
import { BatchNorm } from './batch-norm';
import { Linear } from './linear';
import { Module } from './module';

class Block extends Module {
  readonly norm1 = new BatchNorm(2);
  readonly projOut = new Linear(2, 3, { bias: false });
}

class Root extends Module {
  protected override readonly officialNames = { wrapped: '', odd: 'local_conv_1' };
  readonly shared = new Linear(2, 2);
  readonly stages = [new Block(), undefined, [new Linear(1, 1)]];
  readonly alsoShared = this.shared;
  readonly wrapped = new Block();
  readonly odd = new Linear(1, 2);
  readonly ignored = { note: 'plain objects are not modules' };
}

beforeAll(async () => {
  await openRuntime({ engine: 'cpu' });
});

describe('Module', () => {
  it('names parameters as the reference state_dict does, buffers after the parameters of the same module', () => {
    expect([...new Root().state().keys()]).toEqual([
      'shared.weight',
      'shared.bias',
      'stages.0.norm1.weight',
      'stages.0.norm1.bias',
      'stages.0.norm1.running_mean',
      'stages.0.norm1.running_var',
      'stages.0.proj_out.weight',
      'stages.2.0.weight',
      'stages.2.0.bias',
      'norm1.weight',
      'norm1.bias',
      'norm1.running_mean',
      'norm1.running_var',
      'proj_out.weight',
      'local_conv_1.weight',
      'local_conv_1.bias',
    ]);
  });

  it('lists shared parameters once and their other names as aliases', () => {
    expect(new Root().aliases()).toEqual(
      new Map([
        ['also_shared.weight', 'shared.weight'],
        ['also_shared.bias', 'shared.bias'],
      ]),
    );
  });

  it('names the modules below it', () => {
    const root = new Root();
    const names = [...root.modules()].map(([name, module]) => (module === root.stages[0] ? `${name}!` : name));
    expect(names).toEqual([
      'shared',
      'stages.0!',
      'stages.0.norm1',
      'stages.0.proj_out',
      'stages.2.0',
      '',
      'norm1',
      'proj_out',
      'local_conv_1',
    ]);
  });

  it('counts trainable values without taking memory', () => {
    const before = tf.memory().numTensors;
    expect(new Root().parameterCount()).toBe(6 + (4 + 6) + 2 + (4 + 6) + 4);
    expect(tf.memory().numTensors).toBe(before);
  });

  it('leaves frozen parts out of the parameters, and counts them all the same', () => {
    const root = new Root();
    const all = [...root.parameters().keys()];
    (root.stages[0] as Block).freeze();
    root.shared.freeze();
    expect(all.filter((name) => !root.parameters().has(name))).toEqual([
      'shared.weight',
      'shared.bias',
      'stages.0.norm1.weight',
      'stages.0.norm1.bias',
      'stages.0.proj_out.weight',
    ]);
    expect(root.parameterCount()).toBe(new Root().parameterCount());
    expect([root.isFrozen, root.shared.isFrozen]).toEqual([false, true]);
    root.freeze(false);
    expect([...root.parameters().keys()]).toEqual(all);
  });

  it('gives a parameter the same values wherever its module is mounted under the same name', () => {
    const [first, second] = [new Root(), new Root()];
    first.initialize(5);
    second.initialize(5);
    const values = (root: Root): number[] =>
      [...root.stages.values()].flatMap(() => [...root.odd.weight.variable.dataSync()]);
    expect(values(first)).toEqual(values(second));
    second.initialize(6);
    expect(values(first)).not.toEqual(values(second));
    first.dispose();
    second.dispose();
  });

  it('holds one tensor a parameter and gives all of them back', () => {
    const before = tf.memory().numTensors;
    const root = new Root();
    root.initialize(0);
    root.initialize(1);
    expect(tf.memory().numTensors).toBe(before + root.state().size);
    root.dispose();
    expect(tf.memory().numTensors).toBe(before);
  });

  it('says that a parameter has no values yet', () => {
    expect(() => new Root().shared.weight.variable).toThrow(
      'parameter [2, 2]: used before it has values; call initialize() or load weights',
    );
  });

  it('refuses values of another size', () => {
    expect(() => new Root().shared.weight.assignTorch(new Float32Array(3))).toThrow(
      'parameter: expected 4 values for [2, 2], received 3',
    );
  });
});
