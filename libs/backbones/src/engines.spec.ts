/** Each family gives the same numbers on every engine. */
import { inferencePass, LEVELS } from '@pyramidal/nn';
import { exportGraphModel } from '@pyramidal/graph';
import { openRuntime, type EngineChoice } from '@pyramidal/runtime';
import { expectClose, graphModelFolder } from '@pyramidal/testing';
import { loadGraphModel } from '@tensorflow/tfjs-converter';
import * as tf from '@tensorflow/tfjs-core';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { VariantName, VariantOverrides } from './catalogue';
import { createBackbone, createClassifier } from './create-backbone';

const FAMILIES: readonly (readonly [VariantName, VariantOverrides])[] = [
  ['groupmixformer_tiny', { channels: [40, 40, 80, 80], depths: [1, 1, 1, 1] }],
  ['coat_tiny', { channels: [16, 24, 24, 24], depths: [1, 1, 1, 1] }],
  ['maformer_small', { channels: [32, 32, 64, 64], depths: [1, 1, 1, 1] }],
  ['smt_tiny', { channels: [16, 32, 32, 32], depths: [1, 1, 2, 1] }],
];

/** C2 to C5 of one picture on the engine that opens. */
async function features(engine: EngineChoice, name: VariantName, sizes: VariantOverrides): Promise<Float32Array[]> {
  await openRuntime({ engine });
  const backbone = createBackbone(name, sizes);
  backbone.initialize(3);
  const pixels = Float32Array.from({ length: 45 * 64 * 3 }, (_, i) => 2 * Math.sin(1 + 12.9898 * i * i));
  const images = tf.tensor4d(pixels, [1, 45, 64, 3]);
  const pyramid = backbone.extract(images);
  const values = await Promise.all(LEVELS.map((level) => pyramid[level].data()));
  tf.dispose([images, pyramid]);
  backbone.dispose();
  return values as Float32Array[];
}

describe.each(FAMILIES)('%s', (name, sizes) => {
  let folder: string;
  beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'graph-model-'))));
  afterEach(() => rmSync(folder, { recursive: true }));

  it('gives the same features natively and on WebAssembly', async () => {
    const { engine } = await openRuntime();
    // Without the native engine plain JavaScript has to do for comparison.
    const maps = await features(engine === 'wasm' ? 'cpu' : engine, name, sizes);
    const onWasm = await features('wasm', name, sizes);
    maps.forEach((map, level) => {
      const largest = map.reduce((max, value) => Math.max(max, Math.abs(value)), 0);
      expectClose(onWasm[level]!, map, { atol: 1e-4 * largest });
    });
  });

  it('gives the same logits natively and as a graph model on plain JavaScript', async () => {
    const { engine } = await openRuntime();
    const classifier = createClassifier(name, 7, sizes);
    classifier.initialize(3);
    const pixels = Float32Array.from({ length: 32 * 64 * 3 }, (_, i) => 2 * Math.sin(1 + 12.9898 * i * i));
    const images = tf.tensor4d(pixels, [1, 32, 64, 3]);
    const network = (inputs: { images: tf.Tensor4D }) => ({
      logits: classifier.forward(inputs.images, inferencePass()),
    });
    const write = () => exportGraphModel(network, { images }, folder);
    // Other engines record nothing.
    if (!engine.startsWith('tensorflow'))
      return expect(write).toThrow(`expected the engine tensorflow, found ${engine}`);
    write();
    const expected = tf.tidy(() => network({ images }).logits.dataSync<'float32'>());
    classifier.dispose();
    images.dispose();

    await openRuntime({ engine: 'cpu' });
    const model = await loadGraphModel(graphModelFolder(folder));
    const logits = tf.tidy(() => (model.predict(tf.tensor4d(pixels, [1, 32, 64, 3])) as tf.Tensor).dataSync());
    model.dispose();
    const largest = expected.reduce((max, value) => Math.max(max, Math.abs(value)), 0);
    expect(largest).toBeGreaterThan(0);
    expectClose(logits, expected, { atol: 1e-5 * largest });
  });
});
