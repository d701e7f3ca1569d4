import { join } from 'node:path';
import { loadConfig } from '@pyramidal/config';
import { openRuntime } from '@pyramidal/runtime';
import { completeConfigs, expectScheduleShape, withoutGradient } from '@pyramidal/testing';
import { createOptimizer, createSchedule } from '@pyramidal/training';
import * as tf from '@tensorflow/tfjs-core';
import { assembleClassifier, classificationLoss } from './assemble';
import { type ClassificationConfig, classificationSchema } from './config';

const FOLDER = join(__dirname, '../../../configs/classification');
const NAMES = completeConfigs(FOLDER);

/** Networks in full with `nx run @pyramidal/classification:test-heavy`; otherwise one block of each kind a stage. */
const isHeavy = process.env['PYRAMIDAL_HEAVY'] === '1';
const [BATCH, SIDE, CLASSES] = [2, 64, 7];

jest.setTimeout(isHeavy ? 600_000 : 60_000);

beforeAll(async () => {
  await openRuntime();
});

it.each(NAMES)('%s describes a network, and how to train it', (name) => {
  const classifier = assembleClassifier(load(name), 1000);
  expect(classifier.parameterCount()).toBeGreaterThan(classifier.backbone.parameterCount());

  const { train } = small(name);
  const parameters = assembleClassifier(small(name), CLASSES).parameters();
  const optimizer = createOptimizer(parameters, train.optimizer);
  expect(optimizer.blocks.flatMap(({ parts }) => parts)).toHaveLength(parameters.size);
  for (const slots of optimizer.slots.values()) slots.dispose();

  const { epochs, schedule } = train;
  const { lr } = train.optimizer;
  const length = { epochs: epochs! };
  const rate = createSchedule(schedule, { lr, length, updatesPerEpoch: 100 });
  expectScheduleShape(rate, { updates: 100 * epochs!, lr, startLr: schedule.warmup!.startLr, endBelow: 0.02 });
});

const networks = new Map(NAMES.map((name) => [JSON.stringify(small(name).model), name]));

it.each([...networks.values()])('the network of %s learns with every parameter', (name) => {
  const config = small(name);
  const classifier = assembleClassifier(config, CLASSES);
  classifier.initialize(1);
  const loss = classificationLoss(classifier, config);
  const silent = withoutGradient(classifier.parameters(), () => {
    const images = tf.randomNormal<tf.Rank.R4>([BATCH, SIDE, SIDE, 3], 0, 1, 'float32', 2);
    const targets = tf.oneHot([1, 5], CLASSES) as tf.Tensor2D;
    return loss({ images, targets }, tf.tensor1d([3, 4], 'int32')).loss;
  });
  expect(silent.filter((key) => !isUnused(name, key))).toEqual([]);
  classifier.dispose();
});

/** Norms that official CoaT checkpoints have and their heads do not use. */
function isUnused(name: string, key: string): boolean {
  return (
    (name.startsWith('coat_lite') && /^norm[123]\./.test(key)) || (name.startsWith('coat') && /^norm1\./.test(key))
  );
}

function load(name: string, ...set: string[]): ClassificationConfig {
  return loadConfig(classificationSchema, join(FOLDER, name), { set }).config;
}

/** Without drop path, which drops whole blocks in so small a batch. */
function small(name: string): ClassificationConfig {
  const set = ['model.backbone.dropPath=0'];
  return load(name, ...set, ...(isHeavy ? [] : ['model.backbone.depths=[1, 1, 2, 2]']));
}
