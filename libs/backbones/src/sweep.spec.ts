/** Every published variant, made small: shapes, gradients, compiled and stored, frozen and observed. */
import * as tf from '@tensorflow/tfjs-core';
import { type AttentionObserver, type Classifier, ForwardPass, inferencePass, LEVELS } from '@pyramidal/nn';
import { compile } from '@pyramidal/graph';
import { openRuntime } from '@pyramidal/runtime';
import { expectClose, narrowWidths, withoutGradient } from '@pyramidal/testing';
import { backboneCatalogue, type VariantName } from './catalogue';
import { CoaTClassifier } from './coat';
import { createClassifier, VARIANTS } from './create-backbone';

/** Where a family has two kinds of blocks, they take turns in the third stage; the last block sees what the one before it does. */
const DEPTHS = [1, 1, 2, 2] as const;

/** Widths change nothing of what is tested here. */
const sizesOf = (name: VariantName) => {
  const { faultOf } = backboneCatalogue();
  const channels = narrowWidths(VARIANTS[name].channels, (widths) => faultOf({ name, channels: widths }) === undefined);
  return { depths: DEPTHS, channels };
};

const ONE_OF_EACH_KIND: readonly VariantName[] = [
  'groupmixformer_miny',
  'coat_tiny',
  'coat_lite_tiny',
  'maformer_small',
  'smt_tiny',
  'smt_large',
];

/** What every variant promises, whatever its family; at few blocks, of every kind that the family has. */
beforeAll(async () => {
  await openRuntime();
});

describe.each(Object.keys(VARIANTS) as VariantName[])('%s', (name) => {
  const classifier = createClassifier(name, 7, { ...sizesOf(name), dropPath: 0 });

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
    const parameters = classifier.parameters();
    const silent = withoutGradient(parameters, () => {
      const images = tf.randomNormal<tf.Rank.R4>([2, 64, 64, 3], 0, 1, 'float32', 2);
      const pass = new ForwardPass({ mode: 'train', seed: tf.tensor1d([3, 4], 'int32') });
      const logits = classifier.forward(images, pass);
      return tf.sum(tf.mul(logits, tf.randomNormal(logits.shape, 0, 1, 'float32', 3))) as tf.Scalar;
    });
    expect(silent).toEqual([...parameters.keys()].filter((key) => unusedNorms(classifier).test(key)));
    expect(tf.memory().numTensors).toBe(before);
  });

  // The other variants differ from these in widths and depths alone.
  if (!ONE_OF_EACH_KIND.includes(name)) return;

  it('gives the same logits compiled as eager', () => {
    const images = tf.randomNormal<tf.Rank.R4>([1, 45, 70, 3], 0, 1, 'float32', 4);
    const compiled = compile(({ x }: { x: tf.Tensor }) => ({
      logits: classifier.forward(x as tf.Tensor4D, inferencePass()),
    }));
    const [eager, recorded] = [classifier.forward(images, inferencePass()), compiled({ x: images }).logits];
    const expected = eager.dataSync();
    expectClose(recorded.dataSync(), expected, { atol: 1e-4 * Math.max(...expected.map(Math.abs)) });
    compiled.dispose();
    tf.dispose([images, eager, recorded]);
  });

  it.each([false, true])('gives the same gradients when blocks run again for them, compiled: %s', (isCompiled) => {
    const model = createClassifier(name, 7, { ...sizesOf(name), dropPath: 0.5 });
    model.initialize(1);
    const before = tf.memory().numTensors;
    const kept = trainingResults(model, { recompute: false, isCompiled });
    model.initialize(1);
    const recomputed = trainingResults(model, { recompute: true, isCompiled });
    expect(Object.keys(recomputed)).toEqual(Object.keys(kept));
    const largest = (tensor: tf.Tensor): number => tf.tidy(() => tf.max(tf.abs(tensor)).dataSync()[0]!);
    // Biases ahead of a batch norm have gradients of rounding errors only.
    const floor = 1e-2 * Math.max(...Object.values(kept).map(largest));
    const apart = Object.entries(kept).filter(([key, tensor]) => {
      const difference = tf.tidy(() => largest(tf.sub(recomputed[key]!, tensor)));
      return difference > 1e-4 * Math.max(floor, largest(tensor));
    });
    expect(apart.map(([key]) => key)).toEqual([]);
    tf.dispose([kept, recomputed]);
    expect(tf.memory().numTensors).toBe(before);
    model.dispose();
  });

  it('gives the same logits with values that were written and read back', async () => {
    const copy = createClassifier(name, 7, sizesOf(name));
    const state = classifier.state();
    for (const [key, parameter] of copy.state()) parameter.assignTorch(await state.get(key)!.toTorch());
    const images = tf.randomNormal<tf.Rank.R4>([1, 32, 64, 3], 0, 1, 'float32', 5);
    const [first, second] = [classifier, copy].map((model) => model.forward(images, inferencePass()));
    expect(second!.dataSync()).toEqual(first!.dataSync());
    tf.dispose([images, first, second]);
    copy.dispose();
  });

  it('shows what its modules attend with, under their names', () => {
    const names = new Map([...classifier.backbone.modules()].map(([key, module]) => [module, key]));
    const shown: string[] = [];
    const mapSizes = new Set<string>();
    const onAttention: AttentionObserver = (module, { weights, map }) => {
      shown.push(names.get(module)!);
      mapSizes.add(map.shape.slice(1, 3).join());
      expect(tf.all(tf.logicalAnd(tf.isFinite(map), tf.greaterEqual(map, 0))).dataSync()[0]).toBe(1);
      // SMT's modulation has no softmax.
      if (weights.shape.join() === map.shape.join()) return;
      // Softmax over tokens: the last axis, or the middle one of factorised attention.
      const totals = tf.sum(weights, weights.rank === 4 ? 3 : 1).dataSync();
      expectClose(totals, new Float32Array(totals.length).fill(1), { atol: 1e-4 });
    };
    tf.tidy(() => {
      const images = tf.randomNormal<tf.Rank.R4>([1, 50, 97, 3], 0, 1, 'float32', 6);
      classifier.backbone.forward(images, new ForwardPass({ mode: 'infer', onAttention }));
    });
    expect(shown.every((key) => /att/.test(key))).toBe(true);
    const sizes = Object.values(classifier.backbone.mapSizes(50, 97));
    expect(mapSizes).toEqual(new Set(sizes.map((size) => size.join())));
  });
});

/** Norms that official CoaT checkpoints have and their heads do not use. */
function unusedNorms(classifier: Classifier): RegExp {
  if (!(classifier instanceof CoaTClassifier)) return /^$/;
  return classifier.aggregate === undefined ? /^norm[123]\./ : /^norm1\./;
}

/** Loss, gradients and running statistics of one training pass. */
function trainingResults(
  model: Classifier,
  { recompute, isCompiled }: { recompute: boolean; isCompiled: boolean },
): tf.NamedTensorMap {
  const parameters = [...model.parameters()];
  const step = ({ images }: { images: tf.Tensor }): tf.NamedTensorMap => {
    const pass = new ForwardPass({ mode: 'train', seed: tf.tensor1d([3, 4], 'int32'), recompute });
    const { value, grads } = tf.variableGrads(
      () => {
        const logits = model.forward(images as tf.Tensor4D, pass);
        return tf.sum(tf.mul(logits, tf.randomNormal(logits.shape, 0, 1, 'float32', 3))) as tf.Scalar;
      },
      parameters.map(([, { variable }]) => variable),
    );
    const named = parameters.map(([key, { variable }]) => [key, grads[variable.name] ?? tf.zerosLike(variable)]);
    return { value, ...(Object.fromEntries(named) as tf.NamedTensorMap) };
  };
  const compiled = isCompiled ? compile(step) : undefined;
  const results = tf.tidy(() => (compiled ?? step)({ images: tf.randomNormal([2, 33, 64, 3], 0, 1, 'float32', 4) }));
  compiled?.dispose();
  const statistics = [...model.buffers()].map(([key, parameter]) => [key, tf.clone(parameter.value())]);
  return { ...results, ...(Object.fromEntries(statistics) as tf.NamedTensorMap) };
}
