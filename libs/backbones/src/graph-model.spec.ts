import { inferencePass } from '@pyramidal/nn';
import { exportGraphModel, openRuntime } from '@pyramidal/runtime';
import { expectClose, graphModelFolder } from '@pyramidal/testing';
import * as tf from '@tensorflow/tfjs-core';
import { loadGraphModel } from '@tensorflow/tfjs-converter';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createClassifier, type VariantName, type VariantOverrides } from './variants';

const FAMILIES: readonly (readonly [VariantName, VariantOverrides])[] = [
  ['groupmixformer_tiny', { channels: [40, 40, 80, 80], depths: [1, 1, 1, 1] }],
  ['coat_tiny', { channels: [16, 24, 24, 24], depths: [1, 1, 1, 1] }],
  ['maformer_small', { channels: [32, 32, 64, 64], depths: [1, 1, 1, 1] }],
  ['smt_tiny', { channels: [16, 32, 32, 32], depths: [1, 1, 2, 1] }],
];
const SHAPE: [number, number, number, number] = [1, 32, 64, 3];

describe.each(FAMILIES)('the graph model of a %s classifier', (name, sizes) => {
  it('gives the logits of native TensorFlow on plain JavaScript', async () => {
    const { engine } = await openRuntime();
    const folder = mkdtempSync(join(tmpdir(), 'graph-model-'));
    const classifier = createClassifier(name, 7, sizes);
    classifier.initialize(3);
    const pixels = Float32Array.from(
      { length: tf.util.sizeFromShape(SHAPE) },
      (_, i) => 2 * Math.sin(1 + 12.9898 * i * i),
    );
    const images = tf.tensor4d(pixels, SHAPE);
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
    const logits = tf.tidy(() => (model.predict(tf.tensor4d(pixels, SHAPE)) as tf.Tensor).dataSync());
    model.dispose();
    rmSync(folder, { recursive: true });
    const largest = expected.reduce((max, value) => Math.max(max, Math.abs(value)), 0);
    expect(largest).toBeGreaterThan(0);
    expectClose(logits, expected, { atol: 1e-5 * largest });
  });
});
