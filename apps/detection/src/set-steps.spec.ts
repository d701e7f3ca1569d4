/** Detectors that predict sets learn in compiled steps what they learn operation by operation, over many of them. */
import { createBackbone } from '@pyramidal/backbones';
import { randomKeys } from '@pyramidal/detector';
import { ForwardPass } from '@pyramidal/nn';
import { openRuntime } from '@pyramidal/runtime';
import { expectClose } from '@pyramidal/testing';
import { createOptimizer, trainStep } from '@pyramidal/training';
import * as tf from '@tensorflow/tfjs-core';
import type { DetectionTensors } from './assemble';
import { createDetector, detectorSchema } from './detectors';
import { toyBatch } from './testing/toy-batch';

const SMALL = { queries: 8, encoderLayers: 1, decoderLayers: 2, heads: 2, points: 2, feedForward: 32 };
/** 50 with `nx run @pyramidal/detection:test-heavy`. */
const STEPS = process.env['PYRAMIDAL_HEAVY'] === '1' ? 50 : 5;

beforeAll(async () => {
  await openRuntime();
});

it.each([
  ['deformable-detr', { ...SMALL, dropout: 0.1 }],
  ['dino', { ...SMALL, denoising: { count: 4 } }],
])(`%s loses the same in ${STEPS} compiled steps as in eager ones`, (name, settings) => {
  const lossesOf = (compile: boolean): number[] => {
    const backbone = createBackbone('groupmixformer_miny', { channels: [10, 10, 10, 10], depths: [1, 1, 1, 1] });
    const parts = { backbone, neckChannels: 32, classes: 4 };
    const detector = createDetector(detectorSchema.parse({ name, ...settings }), parts);
    detector.initialize(1);
    const step = trainStep<DetectionTensors>({
      module: detector,
      loss: ({ images, sizes, ...truth }, seed) =>
        detector.loss({ images, sizes }, truth, randomKeys(seed), new ForwardPass({ mode: 'train', seed })),
      optimizer: createOptimizer(detector.parameters(), { name: 'adamw' }),
      clipGradNorm: 0.1,
      compile,
    });
    const batch = toyBatch({ images: 2, height: 64, width: 96 });
    const losses = Array.from({ length: STEPS }, (_, update) => {
      const { loss, ...others } = step.run([batch], { update, lr: 2e-4, seed: 0 });
      const [value] = loss!.dataSync();
      tf.dispose([loss!, others]);
      return value!;
    });
    tf.dispose(batch);
    step.dispose();
    detector.dispose();
    return losses;
  };
  const [compiled, eager] = [lossesOf(true), lossesOf(false)];
  expectClose(compiled.slice(0, 5), eager.slice(0, 5), { rtol: 1e-4 }, 'first losses');
  expectClose(compiled, eager, { rtol: 2e-3 }, 'losses');
  expect(compiled.at(-1)).toBeLessThan(compiled[0]!);
});
