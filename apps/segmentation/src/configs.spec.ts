/** The published segmentation trainings. */
import { loadConfig, openRecipe } from '@pyramidal/config';
import { describeRecipes } from '@pyramidal/task-testing';
import * as tf from '@tensorflow/tfjs-core';
import { assembleSegmentor, lossOf } from './assemble';
import { segmentationSchema } from './config';
import { RECIPES } from './recipes';

const [BATCH, SIDE] = [2, 64];

describeRecipes({
  book: RECIPES,
  schema: segmentationSchema,
  assemble: assembleSegmentor,
  classes: 150,
  narrow({ model: { head } }) {
    const widths =
      head.name === 'upernet' ? ['channels=32', 'auxiliaryChannels=32'] : ['neckChannels=32', 'channels=32'];
    return widths.map((width) => `model.head.${width}`);
  },
  loss(segmentor, config, { classes, seed }) {
    const images = tf.randomNormal<tf.Rank.R4>([BATCH, SIDE, SIDE, 3], 0, 1, 'float32', 2);
    const labels = tf.randomUniform<tf.Rank.R3>([BATCH, SIDE, SIDE], 0, classes, 'int32', 3);
    return lossOf(segmentor, config)({ images, labels }, seed).loss;
  },
});

it('segmentors tell the classes of their data set apart', () => {
  const { config } = loadConfig(
    segmentationSchema,
    openRecipe(RECIPES, { recipe: 'upernet_160k', backbone: 'smt_small' }),
  );
  const segmentor = assembleSegmentor(config, 150);
  expect(segmentor.classes).toBe(150);
  expect([...segmentor.state().keys()]).toContain('decode_head.conv_seg.weight');
});
