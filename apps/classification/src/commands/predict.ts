import { mkdirSync, writeFileSync } from 'node:fs';
import { basename, extname, join } from 'node:path';
import { drawAttention, type PredictCommand, type Predictor } from '@pyramidal/task';
import { loadConfig } from '@pyramidal/config';
import { decodeImage, encodeImage } from '@pyramidal/images';
import { drawAnnotations, PALETTE } from '@pyramidal/pictures';
import { type ImageClass, openImageFolder, prepareImage } from '@pyramidal/imagenet';
import { openRuntime } from '@pyramidal/runtime';
import { loadWeightsFile } from '@pyramidal/training';
import * as tf from '@tensorflow/tfjs-core';
import { evaluationTransform } from '../assemble';
import { topClasses } from '../classification-metrics';
import type { ClassificationDefinition } from '../definition';
import { classifierPredictor } from '../evaluate-classifier';

interface Prediction {
  readonly image: string;
  /** The five likeliest classes, or all of fewer. */
  readonly classes: readonly { readonly label: number; readonly name: string; readonly probability: number }[];
}

/** Classes that are written on a picture. */
const LABELS = 3;

/** Predicts the class of each image; writes `predictions.json` and the pictures with their labels, and attention if asked. */
export async function predict(
  { schema, assemble }: ClassificationDefinition,
  { config: file, set, weights, images, out, attention }: PredictCommand,
): Promise<number> {
  const { config } = loadConfig(schema, file, { set });
  const { root, val, classIndex } = config.data;
  const { classes } = await openImageFolder(root, {
    splits: [val],
    ...(classIndex === undefined ? {} : { classIndex }),
  });
  await openRuntime(config.runtime);
  const classifier = assemble(config, classes.length);
  loadWeightsFile(weights, classifier, { ema: config.evaluation.ema });
  mkdirSync(out, { recursive: true });

  const forward = classifierPredictor(classifier, config.runtime);
  const transform = evaluationTransform(config);
  const { size } = transform;
  const predictions: Prediction[] = [];
  try {
    for (const [index, image] of images.entries()) {
      const pixels = await prepareImage(image, transform, [config.train.seed]);
      const prediction = { image, classes: await rank(forward, pixels, size, classes) };
      predictions.push(prediction);
      const path = join(out, pictureName(index, image));
      writeFileSync(`${path}.jpg`, await drawPrediction(prediction));
      if (attention) await drawAttention(classifier.backbone, { pixels, height: size, width: size }, path);
      console.log(`${image}: ${describe(prediction.classes[0]!)}`);
    }
  } finally {
    forward.dispose();
    classifier.dispose();
  }
  writeFileSync(join(out, 'predictions.json'), `${JSON.stringify(predictions, null, 2)}\n`);
  console.log(`results in ${out}`);
  return 0;
}

/** The picture with its likeliest classes in the corner. */
async function drawPrediction({ image, classes }: Prediction): Promise<Buffer> {
  const label = classes.slice(0, LABELS).map(describe).join('\n');
  const drawn = await drawAnnotations(await decodeImage(image), [{ label, colour: PALETTE[0]! }]);
  return encodeImage(drawn, 'jpeg');
}

/** Numbered, since images of different folders may share a name. */
function pictureName(index: number, image: string): string {
  return `${String(index).padStart(4, '0')}-${basename(image, extname(image))}`;
}

function describe({ name, probability }: { name: string; probability: number }): string {
  return `${name} ${(100 * probability).toFixed(1)} %`;
}

async function rank(
  forward: Predictor<tf.Tensor2D>,
  pixels: Float32Array,
  size: number,
  classes: readonly ImageClass[],
) {
  const probabilities = tf.tidy(() => tf.softmax(forward(tf.tensor4d(pixels, [1, size, size, 3]))));
  const row = (await probabilities.data()) as Float32Array;
  probabilities.dispose();
  return topClasses(row, 5).map((label) => ({ label, name: classes[label]!.name, probability: row[label]! }));
}
