/** The contenders of the step benchmark compute the same. */
import * as tf from '@tensorflow/tfjs-core';
import { createClassifier, groupMixFormer, VARIANTS, type VariantName } from '@pyramidal/backbones';
import { crossEntropy, ForwardPass, inferencePass, type Classifier } from '@pyramidal/nn';
import { compile } from '@pyramidal/graph';
import { openRuntime } from '@pyramidal/runtime';
import { expectClose } from '@pyramidal/testing';
import { adamW, sgd, trainStep, type TrainStep } from '@pyramidal/training';

/** Every size and all 50 steps with `nx run @pyramidal/bench:test-heavy`; otherwise one block a stage for a few. */
const isHeavy = process.env['PYRAMIDAL_HEAVY'] === '1';
const SIZES = (Object.keys(VARIANTS) as VariantName[]).filter((name) => name.startsWith('groupmixformer'));
const TOY = { channels: [40, 40, 80, 80], depths: [1, 1, 1, 1], mlpRatios: [2, 2, 2, 2], dropPath: 0.2 } as const;
const STEPS = isHeavy ? 50 : 12;
/** Smaller images would leave the last batch norms two cells each, which no rounding survives. */
const [BATCH, SIDE, CLASSES] = [2, 64, 10];

if (isHeavy) jest.setTimeout(3_600_000);

type Batch = { images: tf.Tensor4D; labels: tf.Tensor1D };

const optimizers = {
  sgd: { make: (model: Classifier) => sgd(model.parameters(), {}), lr: 0.01, late: 1e-5 },
  adamW: { make: (model: Classifier) => adamW(model.parameters(), {}), lr: 1e-4, late: 1e-3 },
};

function create(variant: VariantName | 'toy'): Classifier {
  const isToy = variant === 'toy';
  const model = isToy ? groupMixFormer.createClassifier(TOY, CLASSES) : createClassifier(variant, CLASSES);
  model.initialize(3);
  return model;
}

/** A new model and its training step, the same every time but for how the step runs. */
function start(variant: VariantName | 'toy', optimizer: keyof typeof optimizers, isCompiled: boolean) {
  const model = create(variant);
  const step = trainStep<Batch>({
    module: model,
    optimizer: optimizers[optimizer].make(model),
    clipGradNorm: 5,
    compile: isCompiled,
    loss: ({ images, labels }, seed) => ({
      loss: crossEntropy(model.forward(images, new ForwardPass({ mode: 'train', seed })), labels),
    }),
  });
  return { model, step };
}

function batch(update: number): Batch {
  const images = tf.randomUniform<tf.Rank.R4>([BATCH, SIDE, SIDE, 3], -1, 1, 'float32', update + 1);
  return { images, labels: tf.tensor1d([update % CLASSES, (3 * update + 1) % CLASSES], 'int32') };
}

function losses(step: TrainStep<Batch>, lr: number): number[] {
  return Array.from({ length: STEPS }, (_, update) =>
    tf.tidy(() => step.run([batch(update)], { update, lr, seed: 5 })['loss']!.dataSync()[0]!),
  );
}

function largest(values: ArrayLike<number>): number {
  return Array.from(values).reduce((most, value) => Math.max(most, Math.abs(value)), 0);
}

describe.each(isHeavy ? SIZES : ['toy' as const])('%s compiled and operation by operation', (variant) => {
  beforeAll(() => openRuntime({ engine: 'tensorflow' }));

  it('gives the same forward pass', () => {
    const model = create(variant);
    const forward = compile(({ images }: { images: tf.Tensor4D }) => ({
      logits: model.forward(images, inferencePass()),
    }));
    tf.tidy(() => {
      const { images } = batch(0);
      const expected = model.forward(images, inferencePass()).dataSync();
      expectClose(forward({ images }).logits.dataSync(), expected, { atol: 1e-5 * largest(expected) });
    });
    forward.dispose();
    model.dispose();
  });

  it.each(['sgd', 'adamW'] as const)('gives the same training with %s', (name) => {
    const { lr, late } = optimizers[name];
    const [plain, compiled] = [start(variant, name, false), start(variant, name, true)];
    const [expected, received] = [losses(plain.step, lr), losses(compiled.step, lr)];
    expectClose(received.slice(0, 10), expected.slice(0, 10), { rtol: 1e-5 }, 'early losses');
    expectClose(received, expected, { rtol: late }, 'losses');
    if (name === 'sgd') {
      const twin = compiled.model.parameters();
      for (const [key, { variable }] of plain.model.parameters()) {
        const values = variable.dataSync();
        const atol = 1e-4 * Math.max(largest(values), 1e-2);
        expectClose(twin.get(key)!.variable.dataSync(), values, { atol }, key);
      }
    }
    for (const { step, model } of [plain, compiled]) {
      step.dispose();
      model.dispose();
    }
  });
});
