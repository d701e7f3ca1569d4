import { VARIANTS } from '@pyramidal/backbones';
import { loadConfig, openRecipe, publishedOf, recipeNames } from '@pyramidal/config';
import { trainingBatchSize } from '@pyramidal/task';
import { openRuntime } from '@pyramidal/runtime';
import { expectScheduleShape, withoutGradient } from '@pyramidal/testing';
import { createOptimizer, createSchedule } from '@pyramidal/training';
import * as tf from '@tensorflow/tfjs-core';
import { assembleClassifier, classificationLoss } from './assemble';
import { type ClassificationConfig, classificationSchema } from './config';
import { RECIPES } from './recipes';

/** Every row of the table, and the recipes that bring a backbone of their own. */
const PUBLISHED = publishedOf(RECIPES).map(({ recipe, backbone }) => ({ recipe, backbone }));
const RECIPE_NAMES = recipeNames(RECIPES);
const OWN = RECIPE_NAMES.filter((name) => PUBLISHED.every(({ recipe }) => recipe !== name)).map((recipe) => ({
  recipe,
}));
const CASES: readonly Training[] = [...PUBLISHED, ...OWN];

interface Training {
  readonly recipe: string;
  readonly backbone?: string;
}

/** Ends at a higher rate than it begins with. */
const RISING = 'coat-384_6e';

const titled = (cases: readonly Training[]) =>
  cases.map((one) => [one.backbone === undefined ? one.recipe : `${one.recipe} on ${one.backbone}`, one] as const);

/** Networks in full with `nx run @pyramidal/classification:test-heavy`; otherwise one block of each kind a stage. */
const isHeavy = process.env['PYRAMIDAL_HEAVY'] === '1';
const [BATCH, SIDE, CLASSES] = [2, 64, 7];

jest.setTimeout(isHeavy ? 600_000 : 60_000);

beforeAll(async () => {
  await openRuntime();
});

it.each(titled(CASES))('%s describes a network, and how to train it', (_, training) => {
  const classifier = assembleClassifier(load(training), 1000);
  expect(classifier.parameterCount()).toBeGreaterThan(classifier.backbone.parameterCount());

  const { train } = small(training);
  const network = assembleClassifier(small(training), CLASSES);
  network.initialize(1);
  const parameters = network.parameters();
  const optimizer = createOptimizer(parameters, train.optimizer);
  expect(optimizer.blocks.flatMap(({ parts }) => parts)).toHaveLength(parameters.size);
  for (const state of optimizer.state.values()) state.dispose();
  network.dispose();

  const { epochs, schedule } = train;
  const { lr } = train.optimizer;
  const length = { epochs: epochs! };
  const rate = createSchedule(schedule, { lr, length, updatesPerEpoch: 100 });
  if (training.recipe === RISING) return;
  expectScheduleShape(rate, { updates: 100 * epochs!, lr, startLr: schedule.warmup!.startLr, endBelow: 0.02 });
});

it('the rate of CoaT at 384 pixels rises to what others fall to, as its authors have it', () => {
  const { train } = load({ recipe: RISING, backbone: 'coat_lite_medium' });
  const { epochs, schedule, optimizer } = train;
  const rate = createSchedule(schedule, { lr: optimizer.lr, length: { epochs: epochs! }, updatesPerEpoch: 100 });
  const rates = Array.from({ length: epochs! }, (_, epoch) => rate(100 * epoch));
  expect(rates).toEqual([...rates].sort((a, b) => a - b));
  expect([rates[0], rate(99), rates[3]]).toEqual([2.5e-6, 2.5e-6, expect.closeTo(3.75e-6, 10)]);
  expect(Math.max(...rates)).toBeLessThan(5e-6);
});

it.each([
  ['groupmixformer_300e', 'groupmixformer_small', 512, 5e-4],
  ['smt_300e', 'smt_small', 1024, 2e-3],
  ['coat_300e', 'coat_tiny', 2048, 2e-3],
  ['coat_300e', 'coat_small', 1024, 1e-3],
  ['coat-384_6e', 'coat_lite_medium', 256, 2.5e-6],
  ['smt-22k_90e', 'smt_large', 4096, 1e-3],
  ['smt-22k-224_30e', 'smt_large', 512, 1e-5],
  ['smt-22k-384_30e', 'smt_large', 512, 2e-5],
])('%s on %s: batch and rate are the official ones', (recipe, backbone, batch, lr) => {
  const { train, augmentation } = load({ recipe, backbone });
  expect([trainingBatchSize({ train }) * train.accumulation, train.optimizer.lr]).toEqual([batch, lr]);
  expect(augmentation.repeats).toBe(recipe.startsWith('coat') ? 3 : 1);
});

it.each(RECIPE_NAMES)('%s takes every published size', (recipe) => {
  for (const backbone of Object.keys(VARIANTS)) {
    const network = assembleClassifier(load({ recipe, backbone }), 1000);
    expect(network.parameterCount()).toBeGreaterThan(network.backbone.parameterCount());
  }
});

const networks = new Map(CASES.map((training) => [JSON.stringify(small(training).model), training]));

it.each(titled([...networks.values()]))('the network of %s learns with every parameter', (_, training) => {
  const config = small(training);
  const classifier = assembleClassifier(config, CLASSES);
  classifier.initialize(1);
  const loss = classificationLoss(classifier, config);
  const silent = withoutGradient(classifier.parameters(), () => {
    const images = tf.randomNormal<tf.Rank.R4>([BATCH, SIDE, SIDE, 3], 0, 1, 'float32', 2);
    const targets = tf.oneHot([1, 5], CLASSES) as tf.Tensor2D;
    return loss({ images, targets }, tf.tensor1d([3, 4], 'int32')).loss;
  });
  expect(silent.filter((key) => !isUnused(config.model.backbone.name, key))).toEqual([]);
  classifier.dispose();
});

/** Norms that official CoaT checkpoints have and their heads do not use. */
function isUnused(name: string, key: string): boolean {
  return (
    (name.startsWith('coat_lite') && /^norm[123]\./.test(key)) || (name.startsWith('coat') && /^norm1\./.test(key))
  );
}

function load(training: Training, ...set: string[]): ClassificationConfig {
  return loadConfig(classificationSchema, openRecipe(RECIPES, training), { set }).config;
}

/** Without drop path, which drops whole blocks in so small a batch. */
function small(training: Training): ClassificationConfig {
  const set = ['model.backbone.dropPath=0'];
  return load(training, ...set, ...(isHeavy ? [] : ['model.backbone.depths=[1, 1, 2, 2]']));
}
