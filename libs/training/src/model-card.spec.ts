/** What a checkpoint tells of its model, and what is said when it is damaged or made to harm. */
import * as tf from '@tensorflow/tfjs-core';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { openCheckpoint, writeSafetensors } from '@pyramidal/checkpoints';
import { Linear } from '@pyramidal/nn';
import { openRuntime } from '@pyramidal/runtime';
import { openWeightsFile } from './load-weights-file';
import { cardTexts, modelCardOf, type ModelDescription } from './model-card';
import { openRunFolder } from './run/run-folder';
import { sgd } from './sgd';
import { train } from './train';
import { trainStep } from './train-step';

const MODEL: ModelDescription = {
  task: 'detection',
  classes: [
    { id: 18, name: 'dog', colour: [37, 99, 235] },
    { id: 'n02123045', name: '__proto__', colour: [0, 0, 0] },
  ],
  input: { shortest: 800, longest: 1333 },
  normalisation: { mean: [1, 2, 3], std: [4, 5, 6] },
};
const CONFIG = 'model: { name: linear }\n';

let folder: string;
beforeAll(async () => {
  await openRuntime({ engine: 'cpu' });
  folder = mkdtempSync(join(tmpdir(), 'card-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** A file with these texts; its card, or what is said of it. */
function cardOf(texts: Readonly<Record<string, string>>) {
  const path = join(folder, 'w.safetensors');
  writeSafetensors(path, [['weight', { dtype: 'float32', shape: [1], data: Float32Array.of(1) }]], texts);
  const file = openCheckpoint(path);
  try {
    return modelCardOf('w.safetensors', file);
  } finally {
    file.close();
  }
}

const texts = (change: (model: Record<string, unknown>) => void = () => undefined): Record<string, string> => {
  const { model, ...others } = cardTexts({ ...MODEL, config: CONFIG, metrics: { AP: 0.5 } });
  const record = JSON.parse(model!) as Record<string, unknown>;
  change(record);
  return { ...others, model: JSON.stringify(record) };
};

describe('a checkpoint of training', () => {
  it('tells all that it takes to use it, from its path and from its bytes', async () => {
    const run = openRunFolder({ folder: join(folder, 'run'), config: CONFIG });
    const module = new Linear(2, 1);
    module.initialize(1);
    const loss = ({ x }: tf.NamedTensorMap) => ({ loss: tf.mean(tf.square(module.forward(x!))) as tf.Scalar });
    const step = trainStep({ module, loss, optimizer: sgd(module.parameters(), {}) });
    await train({
      folder: run,
      step,
      data: {
        ...{ batchesPerEpoch: 2, batchSize: 1 },
        async *epoch() {
          for (let i = 0; i < 2; i++) yield { x: tf.ones([1, 2]) };
        },
      },
      ...{ length: { epochs: 1 }, schedule: () => 0.1, seed: 0, model: MODEL },
      evaluation: { every: 1, run: async () => ({ AP: 0.25, AR: NaN }), best: { metric: 'AP' } },
      stream: new Writable({ write: (_, __, done) => done() }),
    });
    run.close();
    step.dispose();
    const best = join(folder, 'run/best.safetensors');
    const values = Array.from(module.weight.variable.dataSync());
    for (const source of [best, readFileSync(best)]) {
      const file = openWeightsFile(source);
      const { card } = file;
      expect(card).toEqual({
        ...MODEL,
        config: CONFIG,
        metrics: { AP: 0.25, AR: NaN },
        versions: { node: process.versions.node, tfjs: tf.version_core },
      });
      const again = new Linear(2, 1);
      expect(file.load(again).info).toMatchObject({ step: 2 });
      expect(Array.from(again.weight.variable.dataSync())).toEqual(values);
      file.close();
      again.dispose();
    }
    const last = openWeightsFile(join(folder, 'run/last.safetensors'));
    expect(last.card).toEqual({ ...MODEL, config: CONFIG, versions: expect.anything() });
    last.close();
    module.dispose();
  });

  it('in memory is checked like a file', async () => {
    const bytes = readFileSync(join(folder, 'run/best.safetensors'));
    bytes[bytes.length - 1]! ^= 1;
    const file = openWeightsFile(bytes);
    expect(() => file.load(new Linear(2, 1))).toThrow(/^weights: is damaged: .* does not have the checksum/);
    expect(() => openWeightsFile(bytes.subarray(0, 40))).toThrow(/^weights: not a valid safetensors file/);
  });
});

describe('modelCardOf', () => {
  it('gives back what was written, and nothing of a file that tells nothing', () => {
    expect(cardOf(texts())).toMatchObject({ ...MODEL, config: CONFIG, metrics: { AP: 0.5 } });
    expect(cardOf({ format: 'pt' })).toBeUndefined();
  });

  it.each<[string, Record<string, string>, RegExp]>([
    ['is no JSON', { model: 'yes', config: CONFIG }, /^w\.safetensors: its model: is not JSON/],
    ['is a list', { model: '[]', config: CONFIG }, /^w\.safetensors: its model: Invalid input: expected object/],
    [
      'is of a newer program',
      texts((model) => (model['format'] = 2)),
      /format: expected 1, received 2: a newer program/,
    ],
    ['has no class', texts((model) => (model['classes'] = [])), /its model: classes: /],
    [
      'has two classes of one id',
      texts((model) => (model['classes'] = [0, 1, 0].map((id) => ({ id, name: 'x', colour: [0, 0, 0] })))),
      /^w\.safetensors: its model: classes\.2\.id: expected an id of its own, received 0 for another class too$/,
    ],
    [
      'would divide by zero',
      texts((model) => (model['normalisation'] = { mean: [0, 0, 0], std: [1, 0, 1] })),
      /its model: normalisation\.std\.1: /,
    ],
    ['has a class without name', texts((model) => (model['classes'] = [{ id: 1 }])), /its model: classes\.0\.name: /],
    [
      'has a colour that is none',
      texts((model) => (model['classes'] = [{ id: 1, name: 'a', colour: [0, 256, 0] }])),
      /colour\.1/,
    ],
    ['has a name of megabytes', texts((model) => (model['task'] = 'x'.repeat(1 << 20))), /its model: task: Too big/],
    [
      'has too many classes',
      texts((model) => (model['classes'] = Array(100_001).fill(MODEL.classes[0]))),
      /classes: Too big/,
    ],
    [
      'has no configuration',
      { model: texts()['model']! },
      /^w\.safetensors: tells of its model, but has no configuration/,
    ],
    ['has versions that are none', { ...texts(), versions: '{"node":1}' }, /its versions: node: /],
  ])('names the field of a record that %s', (_, damaged, expected) => {
    expect(() => cardOf(damaged)).toThrow(expected);
  });

  it('takes the names of prototypes for names', () => {
    const model = texts()['model']!.replace(
      '{"format"',
      '{"__proto__":{"task":"x","polluted":1},"constructor":{},"format"',
    );
    const card = cardOf({ ...texts(), model: model.replace('"AP":0.5', '"__proto__":0.5,"AP":0.5') });
    expect(card!.task).toBe('detection');
    expect('polluted' in card!).toBe(false);
    expect(card!.metrics).toMatchObject({ AP: 0.5 });
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  });
});
