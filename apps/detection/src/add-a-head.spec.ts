import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createBackbone } from '@pyramidal/backbones';
import { randomKeys } from '@pyramidal/detector';
import { ForwardPass, inferencePass } from '@pyramidal/nn';
import { openRuntime } from '@pyramidal/runtime';
import { createOptimizer, trainStep } from '@pyramidal/training';
import * as tf from '@tensorflow/tfjs-core';
import type { DetectionTensors } from './assemble';
import { fixedBoxes } from './testing/fixed-boxes';
import { toyBatch } from './testing/toy-batch';

it('the guide shows the example as it is', () => {
  const guide = readFileSync(join(__dirname, '../../../docs/add-a-head.md'), 'utf8');
  const example = readFileSync(join(__dirname, 'testing/fixed-boxes.ts'), 'utf8');
  expect(guide).toContain(`\`\`\`ts\n${example}\`\`\`\n`);
});

it('the example of the guide learns, and finds objects of the classes it learned', async () => {
  await openRuntime();
  const backbone = createBackbone('groupmixformer_miny', { channels: [10, 10, 10, 10], depths: [1, 1, 1, 1] });
  const detector = fixedBoxes.create(fixedBoxes.schema.parse({}), { backbone, neckChannels: 16, classes: 4 });
  detector.initialize(1);
  const step = trainStep<DetectionTensors>({
    module: detector,
    loss: ({ images, sizes, ...truth }, seed) =>
      detector.loss({ images, sizes }, truth, randomKeys(seed), new ForwardPass({ mode: 'train', seed })),
    optimizer: createOptimizer(detector.parameters(), { name: 'adamw' }),
  });
  const batch = toyBatch({ images: 1, height: 64, width: 64 });
  const losses = Array.from({ length: 30 }, (_, update) => {
    const { loss } = step.run([batch], { update, lr: 1e-2, seed: 0 });
    const [value] = loss!.dataSync();
    loss!.dispose();
    return value!;
  });
  expect(losses.at(-1)).toBeLessThan(0.3 * losses[0]!);
  const [found] = detector.predict({ images: batch.images, sizes: batch.sizes }, tf.ones([1, 2]), inferencePass());
  expect([1, 3]).toContain(found!.labels.dataSync()[0]);
  tf.dispose([found as tf.TensorContainer, batch]);
  step.dispose();
  detector.dispose();
});
