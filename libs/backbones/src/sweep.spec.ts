import * as tf from '@tensorflow/tfjs-core';
import { type Classifier, ForwardPass, inferencePass, LEVELS } from '@pyramidal/nn';
import { openRuntime } from '@pyramidal/runtime';
import { CoaTClassifier } from './coat';
import { createClassifier, VARIANTS, type VariantName } from './variants';

/** What every variant promises, whatever its family; at few blocks, of every kind that the family has. */
beforeAll(async () => {
  await openRuntime();
});

describe.each(Object.keys(VARIANTS) as VariantName[])('%s', (name) => {
  const classifier = createClassifier(name, 7, { depths: [1, 1, 2, 2], dropPath: 0 });

  beforeAll(() => classifier.initialize(1));
  afterAll(() => classifier.dispose());

  it.each([
    [32, 32],
    [61, 47],
    [50, 97],
  ])('declares the shapes that a %i x %i image gives', (height, width) => {
    tf.tidy(() => {
      const images = tf.randomNormal<tf.Rank.R4>([1, height, width, 3], 0, 1, 'float32', 1);
      const pyramid = classifier.backbone.forward(images, inferencePass());
      const sizes = classifier.backbone.mapSizes(height, width);
      for (const level of LEVELS) {
        const { stride, channels } = classifier.backbone.levels[level];
        expect(pyramid[level].shape).toEqual([1, ...sizes[level], channels]);
        [height, width].forEach((pixels, axis) => {
          expect(Math.abs(sizes[level][axis]! - pixels / stride)).toBeLessThan(1);
        });
        expect(tf.all(tf.isFinite(pyramid[level])).dataSync()[0]).toBe(1);
      }
    });
  });

  it('sends a finite, non-zero gradient to every parameter in training', () => {
    const before = tf.memory().numTensors;
    const named = [...classifier.parameters()];
    const { value, grads } = tf.variableGrads(
      () => {
        const images = tf.randomNormal<tf.Rank.R4>([2, 64, 64, 3], 0, 1, 'float32', 2);
        const pass = new ForwardPass({ mode: 'train', seed: tf.tensor1d([3, 4], 'int32') });
        const logits = classifier.forward(images, pass);
        return tf.sum(tf.mul(logits, tf.randomNormal(logits.shape, 0, 1, 'float32', 3))) as tf.Scalar;
      },
      named.map(([, parameter]) => parameter.variable),
    );
    const silent = named.filter(([, { variable }]) => {
      const gradient = grads[variable.name];
      if (gradient === undefined) return true;
      const norm = tf.tidy(() => tf.sum(tf.abs(gradient)).dataSync()[0]!);
      return !(norm > 0 && Number.isFinite(norm));
    });
    const keys = silent.map(([key]) => key);
    expect(keys).toEqual(named.map(([key]) => key).filter((key) => unusedNorms(classifier).test(key)));
    tf.dispose([value, grads]);
    expect(tf.memory().numTensors).toBe(before);
  });
});

/** Norms that official CoaT checkpoints have and their heads do not use. */
function unusedNorms(classifier: Classifier): RegExp {
  if (!(classifier instanceof CoaTClassifier)) return /^$/;
  return classifier.aggregate === undefined ? /^norm[123]\./ : /^norm1\./;
}
