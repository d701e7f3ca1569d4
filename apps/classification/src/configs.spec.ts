/** The published classification trainings. */
import { loadConfig, openRecipe } from '@pyramidal/config';
import { trainingBatchSize } from '@pyramidal/task';
import { describeRecipes } from '@pyramidal/task-testing';
import { createSchedule } from '@pyramidal/training';
import * as tf from '@tensorflow/tfjs-core';
import { assembleClassifier, classificationLoss } from './assemble';
import { type ClassificationConfig, classificationSchema } from './config';
import { RECIPES } from './recipes';

const [BATCH, SIDE] = [2, 64];

/** Ends at a higher rate than it begins with. */
const RISING = 'coat-384_6e';

describeRecipes({
  book: RECIPES,
  schema: classificationSchema,
  assemble: assembleClassifier,
  classes: 1000,
  loss(classifier, config, { classes, seed }) {
    const images = tf.randomNormal<tf.Rank.R4>([BATCH, SIDE, SIDE, 3], 0, 1, 'float32', 2);
    const targets = tf.oneHot([1, 5], classes) as tf.Tensor2D;
    return classificationLoss(classifier, config)({ images, targets }, seed).loss;
  },
  isSilent: ({ model }, name) => isUnused(model.backbone.name, name),
  endBelow: ({ recipe }) => (recipe === RISING ? undefined : 0.02),
});

it('the rate of CoaT at 384 pixels rises to what others fall to, as its authors have it', () => {
  const { train } = load(RISING, 'coat_lite_medium');
  const { epochs, schedule, optimizer } = train;
  const rate = createSchedule(schedule, { lr: optimizer.lr, length: { epochs: epochs! }, updatesPerEpoch: 100 });
  const rates = Array.from({ length: epochs! }, (_, epoch) => rate(100 * epoch));
  expect(rates).toEqual([...rates].sort((a, b) => a - b));
  expect([rates[0], rate(99), rates[3]]).toEqual([2.5e-6, 2.5e-6, expect.closeTo(3.75e-6, 10)]);
  expect(Math.max(...rates)).toBeLessThan(5e-6);
});

it.each([
  ['groupmixformer_300e', 'groupmixformer_small', 512, 5e-4],
  ['smt_300e', 'smt_small', 1024, 2e-3],
  ['coat_300e', 'coat_tiny', 2048, 2e-3],
  ['coat_300e', 'coat_small', 1024, 1e-3],
  ['coat-384_6e', 'coat_lite_medium', 256, 2.5e-6],
  ['smt-22k_90e', 'smt_large', 4096, 1e-3],
  ['smt-22k-224_30e', 'smt_large', 512, 1e-5],
  ['smt-22k-384_30e', 'smt_large', 512, 2e-5],
])('%s on %s: batch and rate are the official ones', (recipe, backbone, batch, lr) => {
  const { train, augmentation } = load(recipe, backbone);
  expect([trainingBatchSize({ train }) * train.accumulation, train.optimizer.lr]).toEqual([batch, lr]);
  expect(augmentation.repeats).toBe(recipe.startsWith('coat') ? 3 : 1);
});

/** Norms that official CoaT checkpoints have and their heads do not use. */
function isUnused(name: string, key: string): boolean {
  return (
    (name.startsWith('coat_lite') && /^norm[123]\./.test(key)) || (name.startsWith('coat') && /^norm1\./.test(key))
  );
}

function load(recipe: string, backbone: string): ClassificationConfig {
  return loadConfig(classificationSchema, openRecipe(RECIPES, { recipe, backbone })).config;
}
