import { join } from 'node:path';
import { type BackboneFamily, type BackboneSizes, pyramidLevels } from '@pyramidal/backbones';
import { loadConfig } from '@pyramidal/config';
import { Backbone, Conv2d, type Pyramid } from '@pyramidal/nn';
import { openRuntime } from '@pyramidal/runtime';
import * as tf from '@tensorflow/tfjs-core';
import { classificationLoss } from './assemble';
import { classificationDefinition } from './definition';

const SAMPLE = join(__dirname, '../../../configs/classification/sample.yaml');

/** A backbone of a project's own. */
class PlainNet extends Backbone {
  readonly levels;
  readonly conv = new Conv2d(3, 8, 3, { stride: 4 });

  constructor({ channels }: BackboneSizes) {
    super();
    this.levels = pyramidLevels(channels);
  }

  forward(): Pyramid {
    throw new Error('only its name and its levels are asked for');
  }

  protected stageOf(): number {
    return 0;
  }

  attentionMultiplyAdds(): number {
    return 0;
  }
}

const plainNet = {
  variants: { plain_tiny: { channels: [8, 16, 24, 32] } },
  create: (sizes) => new PlainNet(sizes),
} as const satisfies BackboneFamily;

const load = (name: string, definition = classificationDefinition({ backbones: [plainNet] })) =>
  loadConfig(definition.schema, SAMPLE, { set: [`model.backbone={ name: ${name} }`] }).config;

it('names a backbone of its own beside ours, and builds the network on it', () => {
  const { assemble } = classificationDefinition({ backbones: [plainNet] });
  expect(assemble(load('plain_tiny'), 3).backbone).toBeInstanceOf(PlainNet);
  expect(load('smt_tiny').model.backbone.name).toBe('smt_tiny');
  expect(() => load('plain_tiny', classificationDefinition())).toThrow(
    /expected one of coat_tiny, .*, received 'plain_tiny'/,
  );
  expect(() => load('plain_tin')).toThrow(/, plain_tiny, received 'plain_tin', did you mean 'plain_tiny'\?/);
});

it('refuses two backbones of one name, and changes of what a backbone does not list', () => {
  const again = { ...plainNet, variants: { smt_tiny: { channels: [8, 16, 24, 32] } } } as const;
  expect(() => classificationDefinition({ backbones: [again] })).toThrow(
    "backbones: expected every name once, received 'smt_tiny' twice",
  );
  const { schema, assemble } = classificationDefinition({ backbones: [plainNet] });
  const set = ['model.backbone={ name: plain_tiny, depths: [1, 1, 1, 1] }'];
  expect(() => assemble(loadConfig(schema, SAMPLE, { set }).config, 3)).toThrow(
    'plain_tiny: expected changes of channels, received depths',
  );
});

it('augments the images of a training step, with the seed of the step', async () => {
  await openRuntime();
  const seen: number[][] = [];
  const { assemble, augment } = classificationDefinition({
    augment: (images, seed) => {
      seen.push([...seed.dataSync()]);
      return tf.zerosLike(images);
    },
  });
  const config = load('smt_tiny', classificationDefinition());
  const classifier = assemble(config, 2);
  classifier.initialize(1);
  const loss = classificationLoss(classifier, config, { augment });
  const targets = tf.oneHot([0, 1], 2) as tf.Tensor2D;
  const lossOf = (images: tf.Tensor4D) => loss({ images, targets }, tf.tensor1d([3, 4], 'int32')).loss.dataSync()[0];
  expect(lossOf(tf.ones([2, 32, 32, 3]))).toBe(lossOf(tf.zeros([2, 32, 32, 3])));
  expect(seen).toEqual([[3, 4], [3, 4]]); // prettier-ignore
  classifier.dispose();
});
