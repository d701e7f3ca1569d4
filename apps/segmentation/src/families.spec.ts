import { loadConfig, openRecipe } from '@pyramidal/config';
import { openRuntime } from '@pyramidal/runtime';
import { createOptimizer, trainStep } from '@pyramidal/training';
import * as tf from '@tensorflow/tfjs-core';
import { assembleSegmentor, lossOf, type SegmentationTensors } from './assemble';
import { segmentationSchema } from './config';
import { RECIPES } from './recipes';

/** Published widths and depths with `nx run @pyramidal/segmentation:test-heavy`; narrow heads and few blocks of every kind otherwise. */
const isHeavy = process.env['PYRAMIDAL_HEAVY'] === '1';
const SMALL = ['model.backbone.depths=[1, 1, 2, 2]', 'model.head.channels=64', 'model.head.auxiliaryChannels=32'];
/** An image of 800x1333 in small. */
const [BATCH, HEIGHT, WIDTH, CLASSES] = [2, 75, 125, 5];
const STEPS = 4;

if (isHeavy) jest.setTimeout(600_000);

beforeAll(async () => {
  await openRuntime();
});

/** The smallest member of each family with a recipe. */
it.each(['groupmixformer_tiny', 'coat_tiny', 'coat_lite_tiny', 'maformer_small', 'smt_tiny'])(
  'UperNet on %s trains in compiled steps at an odd size',
  (backbone) => {
    const recipe = openRecipe(RECIPES, { recipe: 'upernet_160k', backbone });
    const { config } = loadConfig(segmentationSchema, recipe, { set: isHeavy ? [] : SMALL });
    const segmentor = assembleSegmentor(config, CLASSES);
    segmentor.initialize(1);
    const step = trainStep<SegmentationTensors>({
      module: segmentor,
      loss: lossOf(segmentor, config),
      optimizer: createOptimizer(segmentor.parameters(), config.train.optimizer),
    });
    const images = tf.randomNormal<tf.Rank.R4>([BATCH, HEIGHT, WIDTH, 3], 0, 1, 'float32', 2);
    // The left of every image is one class, the rest another.
    const classOf = (column: number): number => (column < WIDTH / 3 ? 1 : 3);
    const labels = tf.tensor3d(
      Int32Array.from({ length: BATCH * HEIGHT * WIDTH }, (_, pixel) => classOf(pixel % WIDTH)),
      [BATCH, HEIGHT, WIDTH],
      'int32',
    );
    const losses = Array.from({ length: STEPS }, (_, update) => {
      const { loss } = step.run([{ images, labels }], { update, lr: 3e-3, seed: 0 });
      const [value] = loss!.dataSync();
      loss!.dispose();
      return value!;
    });
    expect(losses.every(Number.isFinite)).toBe(true);
    expect(losses.at(-1)).toBeLessThan(0.9 * losses[0]!);
    expect(step.explain()).toHaveLength(tf.getBackend() === 'tensorflow' ? 1 : 0);
    step.dispose();
    segmentor.dispose();
    tf.dispose([images, labels]);
  },
);
