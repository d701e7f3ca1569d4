import { join } from 'node:path';
import { loadConfig } from '@pyramidal/config';
import { completeConfigs, expectScheduleShape } from '@pyramidal/testing';
import { createOptimizer, createSchedule } from '@pyramidal/training';
import { openRuntime } from '@pyramidal/runtime';
import { assembleDetector } from './assemble';
import { type DetectionConfig, detectionSchema } from './config';

const FOLDER = join(__dirname, '../../../configs/detection');

beforeAll(async () => {
  await openRuntime({ engine: 'cpu' });
});

it.each(completeConfigs(FOLDER))('%s describes a detector, and how to train it', (name) => {
  const { train } = load(name);
  const detector = assembleDetector(load(name, ['model.backbone.depths=[1, 1, 2, 1]']), 80);
  expect(detector.parameterCount()).toBeGreaterThan(detector.backbone.parameterCount());
  const optimizer = createOptimizer(detector.parameters(), train.optimizer);
  expect(optimizer.blocks.flatMap(({ parts }) => parts)).toHaveLength(detector.parameters().size);
  for (const slots of optimizer.slots.values()) slots.dispose();

  const { epochs, optimizer: { lr }, schedule } = train; // prettier-ignore
  const rate = createSchedule(schedule, { lr, length: { epochs: epochs! }, updatesPerEpoch: 1000 });
  const rates = Array.from({ length: 1000 * epochs! }, (_, update) => rate(update));
  expectScheduleShape(rates, { lr, startLr: schedule.warmup!.startLr, endBelow: 0.02 });
  detector.dispose();
});

it.each([
  ['1x', 12, [8, 11]],
  ['3x', 36, [27, 33]],
])('the %s schedule is the published one', (schedule, epochs, milestones) => {
  const { train, evaluation } = load(`mask-rcnn_groupmixformer-tiny_fpn_${schedule}_coco.yaml`);
  expect(train).toMatchObject({ epochs, optimizer: { name: 'adamw', lr: 1e-4, weightDecay: 0.05 } });
  expect(train.schedule).toMatchObject({ name: 'step', gamma: 0.1, milestones });
  expect([train.batchSize * train.accumulation, evaluation.batchSize]).toEqual([16, 1]);
});

function load(name: string, set: readonly string[] = []): DetectionConfig {
  return loadConfig(detectionSchema, join(FOLDER, name), { set }).config;
}
