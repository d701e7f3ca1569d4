import { join } from 'node:path';
import { loadConfig } from '@pyramidal/config';
import { openRuntime } from '@pyramidal/runtime';
import { completeConfigs, expectScheduleShape, withoutGradient } from '@pyramidal/testing';
import { createOptimizer, createSchedule } from '@pyramidal/training';
import * as tf from '@tensorflow/tfjs-core';
import { assembleSegmentor, lossOf } from './assemble';
import { type SegmentationConfig, segmentationSchema } from './config';

const FOLDER = join(__dirname, '../../../configs/segmentation');
const NAMES = completeConfigs(FOLDER);

/** Networks in full with `nx run @pyramidal/segmentation:test-heavy`; otherwise few blocks of each kind, narrow heads. */
const isHeavy = process.env['PYRAMIDAL_HEAVY'] === '1';
const [BATCH, SIDE, CLASSES] = [2, 64, 7];

jest.setTimeout(isHeavy ? 600_000 : 60_000);

beforeAll(async () => {
  await openRuntime();
});

it.each(NAMES)('%s describes a network, and how to train it', (name) => {
  const segmentor = assembleSegmentor(load(name), 150);
  expect(segmentor.classes).toBe(150);
  expect([...segmentor.state().keys()]).toContain('decode_head.conv_seg.weight');

  const { train } = small(name);
  const parameters = assembleSegmentor(small(name), CLASSES).parameters();
  const optimizer = createOptimizer(parameters, train.optimizer);
  expect(optimizer.blocks.flatMap(({ parts }) => parts)).toHaveLength(parameters.size);
  for (const slots of optimizer.slots.values()) slots.dispose();

  const { epochs, iterations, schedule } = train;
  const { lr } = train.optimizer;
  const length = epochs === undefined ? { iterations: iterations! } : { epochs };
  const rate = createSchedule(schedule, { lr, length, updatesPerEpoch: 100 });
  const updates = iterations ?? 100 * epochs!;
  expectScheduleShape(rate, { updates, lr, startLr: schedule.warmup?.startLr ?? lr, endBelow: 0.02 });
});

const networks = new Map(NAMES.map((name) => [JSON.stringify(small(name).model), name]));

it.each([...networks.values()])('the network of %s learns with every parameter', (name) => {
  const config = small(name);
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

function load(name: string, ...set: string[]): SegmentationConfig {
  return loadConfig(segmentationSchema, join(FOLDER, name), { set }).config;
}

/** Without drop path, which drops whole blocks in so small a batch. */
function small(name: string): SegmentationConfig {
  const set = ['model.backbone.dropPath=0'];
  if (isHeavy) return load(name, ...set);
  const isUperNet = load(name).model.head.name === 'upernet';
  const head = isUperNet ? ['channels=32', 'auxiliaryChannels=32'] : ['neckChannels=32', 'channels=32'];
  return load(name, ...set, 'model.backbone.depths=[1, 1, 2, 2]', ...head.map((value) => `model.head.${value}`));
}
