import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { exportWeights, writeSafetensors } from '@pyramidal/checkpoints';
import { evaluationSchema, runtimeSchema, trainSchema, z } from '@pyramidal/config';
import { Linear } from '@pyramidal/nn';
import { openRuntime } from '@pyramidal/runtime';
import * as tf from '@tensorflow/tfjs-core';
import { withTrainedNetwork } from './trained-network';

const schema = z.strictObject({ train: trainSchema, evaluation: evaluationSchema, runtime: runtimeSchema });
const CONFIG = `train: { epochs: 1, batchSize: 1, optimizer: { name: adamw, lr: 0.1 } }
runtime: { engine: cpu }
`;

describe('withTrainedNetwork', () => {
  let folder: string;
  let command: { config: string; set: string[]; weights: string };
  beforeAll(async () => {
    await openRuntime({ engine: 'cpu' });
    folder = mkdtempSync(join(tmpdir(), 'trained-'));
    command = { config: join(folder, 'x.yaml'), set: [], weights: join(folder, 'w.safetensors') };
    writeFileSync(command.config, CONFIG);
    const network = new Linear(2, 3);
    network.initialize(7);
    writeSafetensors(command.weights, await exportWeights(network));
    network.dispose();
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  const task = {
    schema,
    open: async () => ({ classes: ['a', 'b', 'c'], from: 'the data' }),
    assemble: (_: unknown, classes: number) => new Linear(2, classes),
  };

  let told: jest.SpyInstance;
  beforeEach(() => (told = jest.spyOn(console, 'error').mockImplementation()));
  afterEach(() => told.mockRestore());

  it('says which engine it opened and what it loaded', async () => {
    await withTrainedNetwork(task, command, async () => undefined);
    expect(told.mock.calls.flat()).toEqual(['cpu: asked for', `${command.weights}: 2 tensors loaded`]);
  });

  it('lends a network with the weights of the file, the configuration, the data and the engine', async () => {
    const before = tf.memory().numTensors;
    const sum = await withTrainedNetwork(task, command, async ({ config, data, network, runtime }) => {
      expect(config.train.epochs).toBe(1);
      expect(data.from).toBe('the data');
      expect(runtime.engine).toBe('cpu');
      const expected = new Linear(2, 3);
      expected.initialize(7);
      const images = tf.ones([1, 2]);
      const [received, wanted] = [network, expected].map((one) => tf.tidy(() => one.forward(images).dataSync()));
      expect(received).toEqual(wanted);
      expected.dispose();
      images.dispose();
      return Array.from(received!).reduce((total, value) => total + value, 0);
    });
    expect(sum).not.toBe(0);
    expect(tf.memory().numTensors).toBe(before);
  });

  it('takes values over the file from --set', async () => {
    const epochs = await withTrainedNetwork(
      task,
      { ...command, set: ['train.epochs=5'] },
      async ({ config }) => config.train.epochs,
    );
    expect(epochs).toBe(5);
  });

  it('disposes of the network when its user fails', async () => {
    const before = tf.memory().numTensors;
    const use = () => Promise.reject(new Error('the disk is full'));
    await expect(withTrainedNetwork(task, command, use)).rejects.toThrow('the disk is full');
    expect(tf.memory().numTensors).toBe(before);
  });

  it('opens the data before anything else, and uses nothing when the weights do not fit', async () => {
    const assemble = jest.fn(task.assemble);
    const open = () => Promise.reject(new Error('data/val: no such folder'));
    const use = jest.fn();
    await expect(withTrainedNetwork({ ...task, open, assemble }, command, use)).rejects.toThrow('data/val');
    expect(assemble).not.toHaveBeenCalled();

    const before = tf.memory().numTensors;
    const two = { ...task, open: async () => ({ classes: ['a', 'b'] }) };
    await expect(withTrainedNetwork(two, command, use)).rejects.toThrow(/w\.safetensors: .*weight/);
    const missing = { ...command, weights: join(folder, 'none.safetensors') };
    await expect(withTrainedNetwork(task, missing, use)).rejects.toThrow(/none\.safetensors/);
    expect(use).not.toHaveBeenCalled();
    expect(tf.memory().numTensors).toBe(before);
  });
});
