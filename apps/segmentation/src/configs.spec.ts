import { VARIANTS } from '@pyramidal/backbones';
import { loadConfig, openRecipe, publishedOf, recipeNames } from '@pyramidal/config';
import { openRuntime } from '@pyramidal/runtime';
import { expectScheduleShape, withoutGradient } from '@pyramidal/testing';
import { createOptimizer, createSchedule } from '@pyramidal/training';
import * as tf from '@tensorflow/tfjs-core';
import { assembleSegmentor, lossOf } from './assemble';
import { type SegmentationConfig, segmentationSchema } from './config';
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

const titled = (cases: readonly Training[]) =>
  cases.map((one) => [one.backbone === undefined ? one.recipe : `${one.recipe} on ${one.backbone}`, one] as const);

/** Networks in full with `nx run @pyramidal/segmentation:test-heavy`; otherwise few blocks of each kind, narrow heads. */
const isHeavy = process.env['PYRAMIDAL_HEAVY'] === '1';
const [BATCH, SIDE, CLASSES] = [2, 64, 7];

jest.setTimeout(isHeavy ? 600_000 : 60_000);

beforeAll(async () => {
  await openRuntime();
});

it.each(titled(CASES))('%s describes a network, and how to train it', (_, training) => {
  const segmentor = assembleSegmentor(load(training), 150);
  expect(segmentor.classes).toBe(150);
  expect([...segmentor.state().keys()]).toContain('decode_head.conv_seg.weight');

  const { train } = small(training);
  const network = assembleSegmentor(small(training), CLASSES);
  network.initialize(1);
  const parameters = network.parameters();
  const optimizer = createOptimizer(parameters, train.optimizer);
  expect(optimizer.blocks.flatMap(({ parts }) => parts)).toHaveLength(parameters.size);
  for (const state of optimizer.state.values()) state.dispose();
  network.dispose();

  const { epochs, iterations, schedule } = train;
  const { lr } = train.optimizer;
  const length = epochs === undefined ? { iterations: iterations! } : { epochs };
  const rate = createSchedule(schedule, { lr, length, updatesPerEpoch: 100 });
  const updates = iterations ?? 100 * epochs!;
  expectScheduleShape(rate, { updates, lr, startLr: schedule.warmup?.startLr ?? lr, endBelow: 0.02 });
});

it.each(RECIPE_NAMES)('%s takes every published size', (recipe) => {
  for (const backbone of Object.keys(VARIANTS)) {
    const network = assembleSegmentor(load({ recipe, backbone }), 150);
    expect(network.parameterCount()).toBeGreaterThan(network.backbone.parameterCount());
  }
});

const networks = new Map(CASES.map((training) => [JSON.stringify(small(training).model), training]));

it.each(titled([...networks.values()]))('the network of %s learns with every parameter', (_, training) => {
  const config = small(training);
  const segmentor = assembleSegmentor(config, CLASSES);
  segmentor.initialize(1);
  const loss = lossOf(segmentor, config);
  const silent = withoutGradient(segmentor.parameters(), () => {
    const images = tf.randomNormal<tf.Rank.R4>([BATCH, SIDE, SIDE, 3], 0, 1, 'float32', 2);
    const labels = tf.randomUniform<tf.Rank.R3>([BATCH, SIDE, SIDE], 0, CLASSES, 'int32', 3);
    return loss({ images, labels }, tf.tensor1d([3, 4], 'int32')).loss;
  });
  expect(silent).toEqual([]);
  segmentor.dispose();
});

function load(training: Training, ...set: string[]): SegmentationConfig {
  return loadConfig(segmentationSchema, openRecipe(RECIPES, training), { set }).config;
}

/** Without drop path, which drops whole blocks in so small a batch. */
function small(training: Training): SegmentationConfig {
  const set = ['model.backbone.dropPath=0'];
  if (isHeavy) return load(training, ...set);
  const isUperNet = load(training).model.head.name === 'upernet';
  const head = isUperNet ? ['channels=32', 'auxiliaryChannels=32'] : ['neckChannels=32', 'channels=32'];
  return load(training, ...set, 'model.backbone.depths=[1, 1, 2, 2]', ...head.map((value) => `model.head.${value}`));
}
