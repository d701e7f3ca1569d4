import { VARIANTS } from '@pyramidal/backbones';
import type { Detector } from '@pyramidal/boxes';
import { loadConfig, openRecipe, publishedOf, recipeNames } from '@pyramidal/config';
import { trainingBatchSize } from '@pyramidal/task';
import { openRuntime } from '@pyramidal/runtime';
import { expectScheduleShape, withoutGradient } from '@pyramidal/testing';
import { createOptimizer, createSchedule } from '@pyramidal/training';
import * as tf from '@tensorflow/tfjs-core';
import { assembleDetector, lossOf } from './assemble';
import { type DetectionConfig, detectionSchema } from './config';
import { RECIPES } from './recipes';
import { toyBatch } from './testing/toy-batch';

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

/** Networks in full with `nx run @pyramidal/detection:test-heavy`; otherwise few blocks of each kind, narrow heads. */
const isHeavy = process.env['PYRAMIDAL_HEAVY'] === '1';
const TRANSFORMER = ['queries=10', 'encoderLayers=1', 'decoderLayers=2', 'feedForward=32'];
const WIDTHS: Readonly<Record<string, readonly string[]>> = {
  'faster-rcnn': ['boxHidden=32'],
  'mask-rcnn': ['boxHidden=32', 'maskHidden=32'],
  'cascade-mask-rcnn': ['boxHidden=32', 'maskHidden=32'],
  retinanet: ['hidden=32'],
  // Of narrower towers each channel is a group, which is nothing but zero in maps of one cell.
  atss: ['hidden=64'],
  'sparse-rcnn': ['hidden=32', 'stages=2', 'proposals=10', 'dynamic=8'],
  'deformable-detr': TRANSFORMER,
  dino: TRANSFORMER,
};
/** So many that each level has anchors among them, and few enough proposals for small images. */
const FEW = ['anchorSample.count=1000', 'trainProposals.count=50', 'roiSample.count=32'];
/** Anchors of a cascade stay on the image, so that only small ones fit on coarse levels. */
const COUNTS: Readonly<Record<string, readonly string[]>> = {
  'faster-rcnn': FEW,
  'mask-rcnn': FEW,
  'cascade-mask-rcnn': [...FEW, 'anchors.scales=[1]'],
  retinanet: [],
  atss: [],
  'sparse-rcnn': [],
  'deformable-detr': [],
  dino: [],
};
/** What small images give nothing to learn: coarse levels that no object of theirs is looked for on. */
const UNREACHED: Readonly<Record<string, RegExp>> = {
  atss: /^bbox_head\.scales\.[1-4]\./,
  'sparse-rcnn': /^neck\.fpn_convs\.[2-3]\./,
};
const CLASSES = 7;

jest.setTimeout(isHeavy ? 600_000 : 60_000);

beforeAll(async () => {
  await openRuntime();
});

it.each(titled(CASES))('%s describes a detector, and how to train it', (_, training) => {
  const detector = assembleDetector(load(training), 80);
  expect(detector.parameterCount()).toBeGreaterThan(detector.backbone.parameterCount());

  const { train } = small(training);
  const network = assembleDetector(small(training), CLASSES);
  network.initialize(1);
  const parameters = network.parameters();
  const optimizer = createOptimizer(parameters, train.optimizer);
  expect(optimizer.blocks.flatMap(({ parts }) => parts)).toHaveLength(parameters.size);
  for (const state of optimizer.state.values()) state.dispose();
  network.dispose();

  const { epochs, iterations, schedule } = train;
  const { lr } = train.optimizer;
  const startLr = schedule.warmup?.startLr ?? lr;
  const updates = iterations ?? 1000 * epochs!;
  const length = iterations === undefined ? { epochs: epochs! } : { iterations };
  const rate = createSchedule(schedule, { lr, length, updatesPerEpoch: 1000 });
  const dropsOnce = schedule.name === 'step' && schedule.milestones.length === 1;
  expectScheduleShape(rate, { updates, lr, startLr, endBelow: dropsOnce ? 0.11 : 0.02 });
});

it.each(RECIPE_NAMES)('%s takes every published size', (recipe) => {
  for (const backbone of Object.keys(VARIANTS)) {
    const network = assembleDetector(load({ recipe, backbone }), 80);
    expect(network.parameterCount()).toBeGreaterThan(network.backbone.parameterCount());
  }
});

const networks = new Map(CASES.map((training) => [JSON.stringify(small(training).model), training]));

it.each(titled([...networks.values()]))('the network of %s learns with every parameter', (_, training) => {
  const config = small(training);
  const detector = assembleDetector(config, CLASSES);
  detector.initialize(1);
  awaken(detector);
  const loss = lossOf(detector, config);
  const seed = tf.tensor1d([3, 4], 'int32');
  const silent = withoutGradient(detector.parameters(), () => {
    const batch = toyBatch({ images: 1, height: 64, width: 96 });
    return loss(batch, seed).loss;
  });
  const unreached = UNREACHED[config.model.detector.name];
  expect(silent.filter((name) => unreached?.test(name) !== true)).toEqual([]);
  seed.dispose();
  detector.dispose();
});

it.each([
  ['1x', 12, [8, 11]],
  ['3x', 36, [27, 33]],
])('the %s schedule is the published one', (schedule, epochs, milestones) => {
  const { train, evaluation } = load({ recipe: `mask-rcnn_${schedule}`, backbone: 'groupmixformer_tiny' });
  expect(train).toMatchObject({ epochs, optimizer: { name: 'adamw', lr: 1e-4, weightDecay: 0.05 } });
  expect(train.schedule).toMatchObject({ name: 'step', gamma: 0.1, milestones });
  expect([trainingBatchSize({ train }) * train.accumulation, evaluation.batchSize]).toEqual([16, 1]);
});

/** Gives weights that begin at zero, and hide others so, other values. */
function awaken(detector: Detector): void {
  for (const [name, parameter] of detector.parameters()) {
    const isZero = parameter.variable.dataSync().every((value) => value === 0);
    if (!isZero || !name.endsWith('weight')) continue;
    const values = tf.tidy(() =>
      tf.randomUniform([...parameter.torchShape], -0.1, 0.1, 'float32', 5).dataSync<'float32'>(),
    );
    parameter.assignTorch(values);
  }
}

function load(training: Training, ...set: string[]): DetectionConfig {
  return loadConfig(detectionSchema, openRecipe(RECIPES, training), { set }).config;
}

/** Without drop path, which drops whole blocks in so small a batch. */
function small(training: Training): DetectionConfig {
  const detector = load(training).model.detector.name;
  const ofDetector = (changes: readonly string[]): string[] => changes.map((change) => `model.detector.${change}`);
  const set = ['model.backbone.dropPath=0', ...ofDetector(COUNTS[detector]!)];
  if (isHeavy) return load(training, ...set);
  const narrow = ['model.backbone.depths=[1, 1, 2, 2]', 'model.neck.channels=32', ...ofDetector(WIDTHS[detector]!)];
  return load(training, ...set, ...narrow);
}
