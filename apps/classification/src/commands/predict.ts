/** `pyramidal-classify predict`. */
import { writeFileAtomically } from '@pyramidal/files';
import { type ImageClass, prepareImage } from '@pyramidal/imagenet';
import { decodeImage, type DecodeOptions, encodeImage } from '@pyramidal/images';
import { drawAnnotations, PALETTE } from '@pyramidal/pictures';
import {
  drawAttention,
  findImages,
  type PredictCommand,
  type Predictor,
  withTrainedNetwork,
  writePredictions,
} from '@pyramidal/task';
import * as tf from '@tensorflow/tfjs-core';
import { evaluationTransform } from '../assemble';
import { topClasses } from '../classification-metrics';
import type { ClassificationDefinition } from '../definition';
import { classifierPredictor } from '../evaluate-classifier';

/** One of the five likeliest classes, or of all where there are fewer. */
interface Ranked {
  readonly label: number;
  readonly name: string;
  readonly probability: number;
}

/** Classes that are written on a picture. */
const LABELS = 3;

/** Predicts the class of each image; writes `predictions.json` and the pictures with their labels, and attention if asked. */
export function predict(definition: ClassificationDefinition, command: PredictCommand): Promise<number> {
  const images = findImages(command.images);
  return withTrainedNetwork(definition, command, async ({ config, data: { classes }, network }) => {
    const forward = classifierPredictor(network, config.runtime);
    const transform = evaluationTransform(config);
    const { size } = transform;
    try {
      return await writePredictions(command.out, (predictions) =>
        predictions.each(images, async (image, index) => {
          const pixels = await prepareImage(image, transform, [config.train.seed]);
          const ranked = await rank(forward, pixels, size, classes);
          const path = predictions.pathOf(image, index);
          writeFileAtomically(`${path}.jpg`, await drawPrediction(image, ranked, transform.decode));
          if (command.attention) await drawAttention(network.backbone, { pixels, height: size, width: size }, path);
          predictions.add(image, { record: { classes: ranked }, summary: describe(ranked[0]!) });
        }),
      );
    } finally {
      forward.dispose();
    }
  });
}

/** The picture with its likeliest classes in the corner. */
async function drawPrediction(
  image: string,
  classes: readonly Ranked[],
  decode: DecodeOptions | undefined,
): Promise<Buffer> {
  const label = classes.slice(0, LABELS).map(describe).join('\n');
  const drawn = await drawAnnotations(await decodeImage(image, decode), [{ label, colour: PALETTE[0]! }]);
  return encodeImage(drawn, 'jpeg');
}

function describe({ name, probability }: Ranked): string {
  return `${name} ${(100 * probability).toFixed(1)} %`;
}

/** @param pixels float32 [size, size, 3], normalised. */
async function rank(
  forward: Predictor<tf.Tensor2D>,
  pixels: Float32Array,
  size: number,
  classes: readonly ImageClass[],
): Promise<Ranked[]> {
  const probabilities = tf.tidy(() => tf.softmax(forward(tf.tensor4d(pixels, [1, size, size, 3]))));
  const row = (await probabilities.data()) as Float32Array;
  probabilities.dispose();
  return topClasses(row, 5).map((label) => ({ label, name: classes[label]!.name, probability: row[label]! }));
}
