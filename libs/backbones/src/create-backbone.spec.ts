/** Backbones as users make them: weights, feature maps, freezing, errors. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { exportWeights, type StoredTensor, writeSafetensors } from '@pyramidal/checkpoints';
import { type Backbone, ForwardPass, LEVELS, type Pyramid } from '@pyramidal/nn';
import { openRuntime } from '@pyramidal/runtime';
import { expectNoLeaks } from '@pyramidal/testing';
import * as tf from '@tensorflow/tfjs-core';
import { normalisePixels } from './normalise-pixels';
import type { VariantName } from './catalogue';
import { createBackbone, createClassifier } from './create-backbone';
import { openWeightsFile } from './weights-file.browser';

const SMALL = { channels: [40, 40, 80, 80], depths: [1, 1, 1, 1], mlpRatios: [2, 2, 2, 2] } as const;
const FAMILIES: readonly (readonly [VariantName, object])[] = [
  ['groupmixformer_tiny', SMALL],
  ['coat_tiny', { channels: [16, 24, 24, 24], depths: [1, 1, 1, 1] }],
  ['maformer_small', { channels: [32, 32, 64, 64], depths: [1, 1, 1, 1] }],
  ['smt_tiny', { channels: [16, 32, 32, 32], depths: [1, 1, 2, 1] }],
];

beforeAll(async () => {
  await openRuntime();
});

const images = (): tf.Tensor4D => tf.randomNormal([2, 64, 96, 3], 0, 1, 'float32', 7);

async function valuesOf(pyramid: Pyramid): Promise<number[][]> {
  const values = await Promise.all(LEVELS.map((level) => pyramid[level].data()));
  return values.map((level) => [...level]);
}

describe('createBackbone', () => {
  const folder = mkdtempSync(join(tmpdir(), 'backbone-'));
  const path = join(folder, 'classifier.safetensors');
  let features: number[][];

  beforeAll(async () => {
    const classifier = createClassifier('groupmixformer_tiny', 3, SMALL);
    classifier.initialize(5);
    features = await valuesOf(classifier.backbone.extract(images()));
    const weights = await exportWeights(classifier);
    const zeros = ({ dtype, shape }: StoredTensor): StoredTensor => {
      return { dtype, shape, data: new Float32Array(tf.util.sizeFromShape([...shape])) };
    };
    // As training here leaves it: the weights as trained, here zeros, their averages, the optimizer's state.
    writeSafetensors(path, [
      ...[...weights].map(([name, tensor]) => [name, zeros(tensor)] as const),
      ...[...weights].map(([name, tensor]) => [`ema.${name}`, tensor] as const),
      ['optimizer.step', { dtype: 'float32', shape: [], data: Float32Array.of(9) }],
    ]);
    classifier.dispose();
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  it('takes the weights of a classifier, by path and as bytes', async () => {
    const bytes = readFileSync(path);
    const sources = [path, bytes, new Uint8Array(bytes).buffer];
    for (const weights of sources) {
      const backbone = createBackbone('groupmixformer_tiny', { ...SMALL, weights });
      expect(await valuesOf(backbone.extract(images()))).toEqual(features);
      backbone.dispose();
    }
  });

  it('says what does not fit, and which file is not there', () => {
    expect(() => createBackbone('groupmixformer_tiny', { weights: path })).toThrow(/mis-shaped/);
    expect(() => createBackbone('smt_tiny', { weights: join(folder, 'none.safetensors') })).toThrow(
      'none.safetensors: cannot be opened: no such file or folder',
    );
  });

  it('asks for bytes where there are no files', () => {
    expect(() => openWeightsFile('x.safetensors')).toThrow('x.safetensors: there are no files in a browser');
  });
});

describe.each(FAMILIES)('%s', (name, sizes) => {
  let backbone: Backbone;
  beforeAll(() => {
    backbone = createBackbone(name, { ...sizes, dropPath: 0.5 });
    backbone.initialize(3);
  });
  afterAll(() => backbone.dispose());

  const trainingPass = () => new ForwardPass({ mode: 'train', seed: tf.tensor1d([1, 2], 'int32') });

  it('extracts maps of the sizes that were known before, and leaves nothing else', async () => {
    const given = images();
    await expectNoLeaks(() => tf.dispose(backbone.extract(given)));
    const pyramid = backbone.extract(given);
    const sizesBefore = backbone.mapSizes(64, 96);
    for (const level of LEVELS) {
      expect(pyramid[level].shape).toEqual([2, ...sizesBefore[level], backbone.levels[level].channels]);
    }
    expect(Object.keys(pyramid)).toEqual(LEVELS);
  });

  it('takes float32 batches of RGB images from 32 pixels on', () => {
    const wrong = [
      tf.zeros([64, 64, 3]),
      tf.zeros([1, 64, 64, 3], 'int32'),
      tf.zeros([1, 31, 64, 3]),
      tf.zeros([1, 64, 64, 1]),
    ];
    for (const given of wrong) {
      expect(() => backbone.extract(given as tf.Tensor4D)).toThrow(
        `expected images float32 [N, H, W, 3] of at least 32x32, received ${given.dtype} [${given.shape.join(', ')}]`,
      );
    }
  });

  it('freezes stage after stage', () => {
    const all = [...backbone.parameters().keys()];
    const trains = (last: Parameters<Backbone['freezeThrough']>[0]): string[] => {
      backbone.freezeThrough(last);
      return [...backbone.parameters().keys()];
    };
    expect(trains('none')).toEqual(all);
    expect(trains('C5')).toEqual([]);
    const left = (['stem', ...LEVELS] as const).map((last) => trains(last).length);
    expect(left).toEqual([...left].sort((a, b) => b - a));
    expect(new Set(left.slice(1)).size).toBe(4);
  });

  it('keeps values, statistics and maps of frozen stages in training, and trains the rest', async () => {
    backbone.freezeThrough('C3');
    const given = images();
    const trained = backbone.forward(given, trainingPass()).C2;
    expect(await trained.data()).toEqual(await backbone.extract(given).C2.data());
    const before = await stateOf(backbone);
    const variables = [...backbone.parameters().values()].map(({ variable }) => variable);
    const step = (): tf.Scalar => {
      const { C2, C3, C4, C5 } = backbone.forward(given, trainingPass());
      return tf.addN([C2, C3, C4, C5].map((map) => tf.mean(tf.square(map)))) as tf.Scalar;
    };
    const { grads } = tf.variableGrads(step, variables);
    for (const variable of variables) variable.assign(tf.sub(variable, grads[variable.name]!));
    const after = await stateOf(backbone);
    const changed = [...after.keys()].filter((key) => {
      const old = before.get(key)!;
      return after.get(key)!.some((value, i) => value !== old[i]);
    });
    const frozen = [...backbone.state()].filter(([, { isFrozen }]) => isFrozen).map(([key]) => key);
    expect(changed.filter((key) => frozen.includes(key))).toEqual([]);
    expect(changed.length).toBeGreaterThan(0.8 * (after.size - frozen.length));
  });
});

async function stateOf(backbone: Backbone): Promise<Map<string, Float32Array>> {
  const entries = [...backbone.state()].map(async ([key, parameter]) => [key, await parameter.toTorch()] as const);
  return new Map(await Promise.all(entries));
}

describe('normalisePixels', () => {
  it('takes out mean and deviation of every colour, and makes a batch of one picture', async () => {
    const pixels = tf.tensor3d([0, 255, 104], [1, 1, 3], 'int32');
    const images = normalisePixels(pixels);
    expect(images.shape).toEqual([1, 1, 1, 3]);
    expect(images.dtype).toBe('float32');
    const [red, green, blue] = await images.data();
    expect(red).toBeCloseTo(-123.675 / 58.395, 5);
    expect(green).toBeCloseTo((255 - 116.28) / 57.12, 5);
    expect(blue).toBeCloseTo((104 - 103.53) / 57.375, 5);
    expect(normalisePixels(tf.zeros<tf.Rank.R4>([2, 4, 4, 3])).shape).toEqual([2, 4, 4, 3]);
  });
});
