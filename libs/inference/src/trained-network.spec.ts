import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { exportWeights, writeSafetensors } from '@pyramidal/checkpoints';
import { evaluationSchema, runtimeSchema, trainSchema, z } from '@pyramidal/config';
import { Linear } from '@pyramidal/nn';
import { openRuntime } from '@pyramidal/runtime';
import * as tf from '@tensorflow/tfjs-core';
import { cardTexts } from '@pyramidal/training';
import { describedConfig, withTrainedNetwork } from './trained-network';

const model = z.strictObject({ inputs: z.int(), weights: z.string().optional() }).optional();
const schema = z.strictObject({ model, train: trainSchema, evaluation: evaluationSchema, runtime: runtimeSchema });
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
    task: 'test',
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

  describe('with a checkpoint that tells of itself', () => {
    const classes = ['a', 'b', 'c'].map((name, i) => ({ id: i, name, colour: [0, 0, 0] as const }));
    const model = { task: 'test', classes, input: {}, normalisation: { mean: [0, 0, 0], std: [1, 1, 1] } } as const;
    const write = async (file: string, texts: Readonly<Record<string, string>>): Promise<string> => {
      const network = new Linear(2, 3);
      network.initialize(7);
      const path = join(folder, file);
      writeSafetensors(path, await exportWeights(network), texts);
      network.dispose();
      return path;
    };
    const stored = CONFIG.replace('engine: cpu', 'engine: tensorflow-gpu, threads: 99');

    it('needs no configuration, and is told the classes', async () => {
      const weights = await write('one.safetensors', cardTexts({ ...model, config: stored }));
      const open = jest.fn(task.open);
      const set = ['runtime.engine=cpu', 'train.epochs=3'];
      const epochs = await withTrainedNetwork({ ...task, open }, { set, weights }, async ({ config }) => {
        return config.train.epochs;
      });
      expect(epochs).toBe(3);
      expect(open).toHaveBeenCalledWith(expect.anything(), classes);
      const { config, classes: known } = describedConfig(task, { weights, set });
      expect([config.train.epochs, known]).toEqual([3, classes]);
      const bytes = readFileSync(weights);
      expect(await withTrainedNetwork(task, { set, weights: bytes }, async ({ runtime }) => runtime.engine)).toBe(
        'cpu',
      );
    });

    it('says in what another configuration differs where it does not fit', async () => {
      const weights = await write(
        'other.safetensors',
        cardTexts({ ...model, config: `${stored}model: { inputs: 2 }\n` }),
      );
      const wide = { ...task, assemble: ({ model }: z.output<typeof schema>) => new Linear(model!.inputs, 3) };
      const open = (inputs: number): Promise<void> => {
        const set = [`model.inputs=${inputs}`, 'model.weights=a.pth'];
        return withTrainedNetwork(wide, { ...command, weights, set }, async () => undefined);
      };
      await open(2);
      await expect(open(4)).rejects.toThrow(
        /do not fit: .*; they were trained with another model\.inputs; without a configuration on the command line, that one is taken$/,
      );
    });

    it.each<[string, () => Promise<string>, RegExp]>([
      [
        "another task's",
        () => write('other.safetensors', cardTexts({ ...model, task: 'segmentation', config: stored })),
        /^.*other\.safetensors: expected weights for test, received a checkpoint of segmentation$/,
      ],
      [
        'one whose configuration does not fit the program',
        () => write('newer.safetensors', cardTexts({ ...model, config: `${stored}speed: 3\n` })),
        /^the configuration in .*newer\.safetensors:3: speed: unknown key, expected one of model, train, evaluation, runtime$/,
      ],
      [
        'none',
        async () => command.weights,
        /^.*w\.safetensors: expected a configuration beside these weights, which bring none along$/,
      ],
    ])('refuses %s, in one line and with code 2', async (_, file, expected) => {
      const weights = await file();
      const use = jest.fn();
      const received: unknown = await withTrainedNetwork(task, { set: [], weights }, use).catch(
        (error: unknown) => error,
      );
      expect((received as Error).message).toMatch(expected);
      expect(received).toMatchObject({ exitCode: 2 });
      expect(use).not.toHaveBeenCalled();
    });
  });
});
