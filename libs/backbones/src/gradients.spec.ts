/** Gradients against those of the official implementations in PyTorch. */
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { type Classifier, ForwardPass, LEVELS, type Parameter } from '@pyramidal/nn';
import { openRuntime } from '@pyramidal/runtime';
import {
  expectClose,
  fillWithGolden,
  type GoldenGradients,
  goldenTensor,
  nchwToNhwc,
  nhwcIndex,
  readGoldenBackbone,
  samplePositions,
} from '@pyramidal/testing';
import type { VariantName } from './catalogue';
import { createClassifier } from './create-backbone';

beforeAll(async () => {
  await openRuntime();
});

/** The variants that the reference was differentiated for. */
const DIFFERENTIATED = ['groupmixformer_miny', 'coat_tiny', 'coat_lite_tiny', 'smt_tiny'] as const;

const golden = new Map(
  DIFFERENTIATED.map((name) => {
    return [name, readGoldenBackbone(join(__dirname, '../fixtures', `${name}.json`))] as const;
  }),
);

describe.each([...golden])('%s', (name, { config, ...numbers }) => {
  it('gives the official gradients with frozen batch norms', async () => {
    const classifier = filledClassifier(name, config.num_classes);
    await expectGradients(classifier, numbers.gradients!, 'running');
    classifier.dispose();
  });

  if (numbers.train_batch_norm === undefined) return;
  const expected = numbers.train_batch_norm;

  it('gives the official stages, gradients and running statistics with batch statistics', async () => {
    const classifier = filledClassifier(name, config.num_classes);
    await expectGradients(classifier, expected, 'batch');
    const state = classifier.state();
    for (const { name: norm, running_mean, running_var } of expected.updated_batch_norm) {
      const tolerance = { atol: 2e-6 };
      expectClose(await state.get(`${norm}.running_mean`)!.toTorch(), running_mean, tolerance, `${norm}.running_mean`);
      expectClose(await state.get(`${norm}.running_var`)!.toTorch(), running_var, tolerance, `${norm}.running_var`);
    }
    classifier.dispose();
  });
});

function filledClassifier(name: VariantName, classes: number): Classifier {
  const classifier = createClassifier(name, classes, { dropPath: 0 });
  fillWithGolden(classifier);
  return classifier;
}

/** Loss, parameter gradients and image gradient of the mean over stages of the mean of stage * cotangent. */
async function expectGradients(
  classifier: Classifier,
  expected: GoldenGradients,
  batchNorm: 'batch' | 'running',
): Promise<void> {
  const { backbone } = classifier;
  const images = nhwc('input', expected.input);
  const cotangents = LEVELS.map((level, stage) => {
    const { stride, channels } = backbone.levels[level];
    const [n, , h, w] = expected.input as [number, number, number, number];
    return nhwc(`cotangent.${stage}`, [n, channels, Math.ceil(h / stride), Math.ceil(w / stride)]);
  });
  const loss = (x: tf.Tensor4D): tf.Scalar => {
    const pyramid = backbone.forward(x, new ForwardPass({ mode: 'train', batchNorm }));
    const means = LEVELS.map((level, stage) => tf.mean(tf.mul(pyramid[level], cotangents[stage]!)));
    return tf.div(tf.addN(means), means.length);
  };
  const checked = Object.entries(expected.parameters);
  const parameters = checked.map(([key]) => backbone.state().get(key)!);
  const buffers = [...backbone.buffers().values()];
  const before = await Promise.all(buffers.map((buffer) => buffer.toTorch()));
  const { value, grads } = tf.variableGrads(
    () => loss(images),
    parameters.map((parameter) => parameter.variable),
  );
  // The loss of the two means of differently rounded sums is near 0 with batch statistics.
  expectClose([value.dataSync()[0]!], [expected.loss_f64], { rtol: 1e-4, atol: 1e-6 }, 'loss');
  checked.forEach(([key, map], k) => {
    const parameter = parameters[k]!;
    const gradient = torchOrder(parameter, grads[parameter.variable.name]!);
    const chosen = samplePositions(gradient.length, map.samples_f64.length).map((position) => gradient[position]!);
    expectClose(chosen, map.samples_f64, { atol: 1e-4 * map.max_abs }, `gradient of ${key}`);
  });
  // One forward pass moves running statistics once, whatever is differentiated.
  await Promise.all(buffers.map(async (buffer, k) => batchNorm === 'batch' && buffer.assignTorch(before[k]!)));
  const imageGradient = tf
    .grad((x: tf.Tensor) => loss(x as tf.Tensor4D))(images)
    .dataSync();
  const map = expected.input_gradient;
  const positions = samplePositions(imageGradient.length, map.samples_f64.length);
  const chosen = positions.map((position) => imageGradient[nhwcIndex(position, map.shape)]!);
  expectClose(chosen, map.samples_f64, { atol: 1e-4 * map.max_abs }, 'gradient of the images');
  tf.dispose([images, cotangents, value, grads]);
}

function nhwc(name: string, shape: readonly number[]): tf.Tensor4D {
  const [n, c, h, w] = shape as [number, number, number, number];
  return tf.tensor4d(nchwToNhwc(goldenTensor(name, shape), shape), [n, h, w, c]);
}

function torchOrder(parameter: Parameter, gradient: tf.Tensor): Float32Array {
  return parameter.toTorchOrder(gradient.dataSync<'float32'>());
}
