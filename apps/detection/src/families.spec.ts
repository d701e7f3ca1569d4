import { loadConfig, openRecipe } from '@pyramidal/config';
import { openRuntime } from '@pyramidal/runtime';
import { createOptimizer, trainStep } from '@pyramidal/training';
import * as tf from '@tensorflow/tfjs-core';
import { assembleDetector, type DetectionTensors, lossOf } from './assemble';
import { detectionSchema } from './config';
import { RECIPES } from './recipes';
import { toyBatch } from './testing/toy-batch';

/** Published widths and depths with `nx run @pyramidal/detection:test-heavy`; narrow heads and few blocks of every kind otherwise. */
const isHeavy = process.env['PYRAMIDAL_HEAVY'] === '1';
const SMALL = ['backbone.depths=[1, 1, 2, 2]', 'neck.channels=64', 'detector.boxHidden=64', 'detector.maskHidden=32'];
const FEW = ['detector.trainProposals.count=100', 'detector.roiSample.count=64'];
const STEPS = 4;

if (isHeavy) jest.setTimeout(600_000);

beforeAll(async () => {
  await openRuntime();
});

/** The smallest member of each family, on an image of 800x1333 in small. */
it.each(['groupmixformer_miny', 'coat_tiny', 'coat_lite_tiny', 'maformer_small', 'smt_tiny'])(
  'Mask R-CNN on %s trains in compiled steps at an odd size',
  (backbone) => {
    const recipe = openRecipe(RECIPES, { recipe: 'mask-rcnn_1x', backbone });
    const set = [...FEW, ...(isHeavy ? [] : SMALL)].map((value) => `model.${value}`);
    const { config } = loadConfig(detectionSchema, recipe, { set });
    const detector = assembleDetector(config, 5);
    detector.initialize(1);
    const step = trainStep<DetectionTensors>({
      module: detector,
      loss: lossOf(detector, config),
      optimizer: createOptimizer(detector.parameters(), config.train.optimizer),
      clipGradNorm: 5,
    });
    const batch = toyBatch({ images: 1, height: 75, width: 125 });
    const losses = Array.from({ length: STEPS }, (_, update) => {
      const { loss } = step.run([batch], { update, lr: 3e-4, seed: 0 });
      const [value] = loss!.dataSync();
      loss!.dispose();
      return value!;
    });
    expect(losses.every(Number.isFinite)).toBe(true);
    expect(losses.at(-1)).toBeLessThan(0.9 * losses[0]!);
    expect(step.explain()).toHaveLength(tf.getBackend() === 'tensorflow' ? 1 : 0);
    step.dispose();
    detector.dispose();
    tf.dispose(batch);
  },
);
