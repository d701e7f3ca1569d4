import { createBackbone } from '@pyramidal/backbones';
import { randomKeys } from '@pyramidal/detector';
import { ForwardPass } from '@pyramidal/nn';
import { openRuntime } from '@pyramidal/runtime';
import { expectClose, hasNative } from '@pyramidal/testing';
import { createOptimizer, trainStep } from '@pyramidal/training';
import * as tf from '@tensorflow/tfjs-core';
import type { DetectionTensors } from './assemble';
import { createDetector, type DetectorConfig, detectorSchema } from './detectors';
import { toyBatch } from './testing/toy-batch';

const STEPS = 50;
const SMALL = { channels: [10, 10, 10, 10], depths: [1, 1, 1, 1] } as const;

/**
 * Each by the rate that it learns with in so few steps, and the steps that are compared. Sparse R-CNN's matching turns rounding into other
 * targets: weights that differ by 3e-7 give losses that differ by 2e-4 after six steps and by 1e-2 after fifteen.
 */
const DETECTORS: readonly (readonly [name: string, lr: number, compared: number, settings: object])[] = [
  ['atss', 0.02, STEPS, { name: 'atss', hidden: 32, convs: 1, anchorScale: 4 }],
  ['sparse-rcnn', 0.002, 20, { name: 'sparse-rcnn', proposals: 10, stages: 2, heads: 2, hidden: 32, dynamic: 8 }],
];

/** Minutes, with `nx run @pyramidal/detection:test-heavy`. */
const describeHeavy = hasNative() && process.env['PYRAMIDAL_HEAVY'] === '1' ? describe : describe.skip;

jest.setTimeout(600_000);

/** Losses of so many steps on one batch from the same weights. */
function lossesOf(settings: DetectorConfig, lr: number, compile: boolean): number[] {
  const backbone = createBackbone('groupmixformer_miny', SMALL);
  const detector = createDetector(settings, { backbone, neckChannels: 16, classes: 4 });
  detector.initialize(1);
  const step = trainStep<DetectionTensors>({
    module: detector,
    loss: ({ images, sizes, ...truth }, seed) =>
      detector.loss({ images, sizes }, truth, randomKeys(seed), new ForwardPass({ mode: 'train', seed })),
    optimizer: createOptimizer(detector.parameters(), { name: 'sgd' }),
    clipGradNorm: 1,
    compile,
  });
  const { masks: _masks, regions: _regions, ...batch } = toyBatch({ images: 2, height: 64, width: 64 });
  const losses = Array.from({ length: STEPS }, (_, update) => {
    const { loss, ...others } = step.run([batch], { update, lr, seed: 0 });
    const [value] = loss!.dataSync();
    tf.dispose([loss!, { ...others }]);
    return value!;
  });
  step.dispose();
  detector.dispose();
  tf.dispose({ ...batch });
  return losses;
}

describeHeavy(`${STEPS} compiled steps (skipped: minutes, and the native engine)`, () => {
  beforeAll(async () => {
    await openRuntime({ engine: 'tensorflow' });
  });

  it.each(DETECTORS)('%s learns as it does eagerly', (_, lr, compared, settings) => {
    const config = detectorSchema.parse(settings);
    const [compiled, eager] = [lossesOf(config, lr, true), lossesOf(config, lr, false)];
    expectClose(compiled.slice(0, compared), eager.slice(0, compared), { rtol: 1e-3 }, 'losses');
    expect(compiled.at(-1)).toBeLessThan(0.9 * compiled[0]!);
  });
});
