import { mkdirSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { PredictCommand } from '@pyramidal/cli';
import { loadConfig } from '@pyramidal/config';
import { type ImageClass, openImageFolder, prepareImage } from '@pyramidal/imagenet';
import { openRuntime } from '@pyramidal/runtime';
import { loadWeightsFile } from '@pyramidal/training';
import * as tf from '@tensorflow/tfjs-core';
import { assembleClassifier, evaluationTransform } from '../assemble';
import { topClasses } from '../classification-metrics';
import { classificationSchema } from '../config';
import { createPredictor, type Predictor } from '../evaluate-classifier';

interface Prediction {
  readonly image: string;
  /** The five likeliest classes, or all of fewer. */
  readonly classes: readonly { readonly label: number; readonly name: string; readonly probability: number }[];
}

/** Predicts the class of each image; writes `predictions.json` and the pictures with their labels. */
export async function predict({ config: file, set, weights, images, out }: PredictCommand): Promise<number> {
  const { config } = loadConfig(classificationSchema, file, { set });
  const { root, val, classIndex } = config.data;
  const { classes } = await openImageFolder(root, {
    splits: [val],
    ...(classIndex === undefined ? {} : { classIndex }),
  });
  await openRuntime(config.runtime);
  const classifier = assembleClassifier(config, classes.length);
  loadWeightsFile(weights, classifier, { ema: config.evaluation.ema });
  mkdirSync(out, { recursive: true });

  const forward = createPredictor(classifier, config.runtime);
  const transform = evaluationTransform(config);
  const predictions: Prediction[] = [];
  try {
    for (const image of images) {
      const pixels = await prepareImage(image, transform, [config.train.seed]);
      predictions.push({ image, classes: await rank(forward, pixels, transform.size, classes) });
      const [best] = predictions.at(-1)!.classes;
      console.log(`${basename(image)}: ${best!.name} ${(100 * best!.probability).toFixed(1)} %`);
    }
  } finally {
    forward.dispose();
    classifier.dispose();
  }
  writeFileSync(join(out, 'predictions.json'), `${JSON.stringify(predictions, null, 2)}\n`);
  console.log(`results in ${out}`);
  return 0;
}

async function rank(forward: Predictor, pixels: Float32Array, size: number, classes: readonly ImageClass[]) {
  const probabilities = tf.tidy(() => tf.softmax(forward(tf.tensor4d(pixels, [1, size, size, 3]))));
  const row = (await probabilities.data()) as Float32Array;
  probabilities.dispose();
  return topClasses(row, 5).map((label) => ({ label, name: classes[label]!.name, probability: row[label]! }));
}
