import type { InfoCommand } from '@pyramidal/cli';
import { loadConfig } from '@pyramidal/config';
import { countMultiplyAdds, inferencePass, LEVELS } from '@pyramidal/nn';
import { openImageFolder } from '@pyramidal/imagenet';
import { openRuntime } from '@pyramidal/runtime';
import * as tf from '@tensorflow/tfjs-core';
import { assembleClassifier } from '../assemble';
import { classificationSchema } from '../config';

/** Classes to count with where the data set is not there: ImageNet's. */
const DEFAULT_CLASSES = 1000;

/** Prints parameters, multiply-adds, feature shapes and memory of a configuration's network. */
export async function info({ config: file, set, input }: InfoCommand): Promise<number> {
  const { config } = loadConfig(classificationSchema, file, { set });
  const { height, width } = input ?? { height: config.input.size, width: config.input.size };
  const { root, train, classIndex } = config.data;
  const folder = await openImageFolder(root, {
    splits: [train],
    ...(classIndex === undefined ? {} : { classIndex }),
  }).catch(() => undefined);
  const classes = folder?.classes.length ?? DEFAULT_CLASSES;
  await openRuntime({ engine: 'wasm' });
  const classifier = assembleClassifier(config, classes);
  classifier.initialize(0);

  const { backbone } = classifier;
  const images = tf.zeros<tf.Rank.R4>([1, height, width, 3]);
  const { conv, linear } = countMultiplyAdds(() => classifier.forward(images, inferencePass()));
  const attention = backbone.attentionMultiplyAdds(height, width);
  const parameters = classifier.parameterCount();
  const sizes = backbone.mapSizes(height, width);
  const features = LEVELS.reduce((sum, level) => {
    const [rows, columns] = sizes[level];
    return sum + rows * columns * backbone.levels[level].channels;
  }, 0);

  console.log(`${config.model.backbone.name}, ${classes} classes, input ${height}x${width}`);
  console.log(`parameters      ${millions(parameters)} (backbone ${millions(backbone.parameterCount())})`);
  console.log(
    `multiply-adds   ${billions(conv + linear + attention)} (convolutions ${billions(conv)}, linear ${billions(linear)}, attention ${billions(attention)})`,
  );
  for (const level of LEVELS) {
    const { stride, channels } = backbone.levels[level];
    console.log(`${level}  ${sizes[level].join('x')}x${channels}, stride ${stride}`);
  }
  console.log(
    `memory          weights ${megabytes(parameters)}, with AdamW ${megabytes(3 * parameters)}, features ${megabytes(features)} an image`,
  );
  images.dispose();
  classifier.dispose();
  return 0;
}

const millions = (count: number): string => `${(count / 1e6).toFixed(2)} M`;
const billions = (count: number): string => `${(count / 1e9).toFixed(3)} G`;
const megabytes = (floats: number): string => `${((4 * floats) / 2 ** 20).toFixed(1)} MiB`;
