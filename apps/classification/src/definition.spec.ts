import { join } from 'node:path';
import { loadConfig } from '@pyramidal/config';
import { openRuntime } from '@pyramidal/runtime';
import { describeOwnBackbones } from '@pyramidal/task-testing';
import * as tf from '@tensorflow/tfjs-core';
import { classificationLoss } from './assemble';
import { classificationDefinition } from './definition';

const SAMPLE = join(__dirname, '../../../configs/classification/sample.yaml');

describeOwnBackbones((backbones) => classificationDefinition({ backbones }), SAMPLE);

it('augments the images of a training step, with the seed of the step', async () => {
  await openRuntime();
  const seen: number[][] = [];
  const { schema, assemble, augment } = classificationDefinition({
    augment: (images, seed) => {
      seen.push([...seed.dataSync()]);
      return tf.zerosLike(images);
    },
  });
  const { config } = loadConfig(schema, SAMPLE, { set: ['model.backbone={ name: smt_tiny }'] });
  const classifier = assemble(config, 2);
  classifier.initialize(1);
  const loss = classificationLoss(classifier, config, { augment });
  const targets = tf.oneHot([0, 1], 2) as tf.Tensor2D;
  const lossOf = (images: tf.Tensor4D) => loss({ images, targets }, tf.tensor1d([3, 4], 'int32')).loss.dataSync()[0];
  expect(lossOf(tf.ones([2, 32, 32, 3]))).toBe(lossOf(tf.zeros([2, 32, 32, 3])));
  expect(seen).toEqual([[3, 4], [3, 4]]); // prettier-ignore
  classifier.dispose();
});
