/** A classifier as TensorFlow Serving calls it: photographs in, probabilities out. */
import { centreCropOf, IMAGENET_NORMALISATION, normaliseTensor, resizeTensor } from '@pyramidal/images';
import { type Classifier, inferencePass } from '@pyramidal/nn';
import type { ServingTask } from '@pyramidal/task';
import * as tf from '@tensorflow/tfjs-core';
import type { ClassificationConfig } from './config';

/** The model gives `probabilities`, float32 [1, classes]; it takes images that need no resizing unless others are asked for. */
export function servedClassifier({ input }: Pick<ClassificationConfig, 'input'>, network: Classifier): ServingTask {
  const side = Math.floor(input.size / input.cropPct);
  return {
    size: { height: side, width: side },
    outputs: (pixels) => {
      const [, height, width] = pixels.shape;
      const { resized, rect } = centreCropOf({ height, width }, input);
      const whole = resizeTensor(pixels, { ...resized, convention: 'pillow-bicubic' });
      const seen = tf.slice(whole, [0, rect.y, rect.x, 0], [1, rect.height, rect.width, 3]);
      const logits = network.forward(normaliseTensor(seen, IMAGENET_NORMALISATION), inferencePass());
      return { probabilities: tf.softmax(logits) };
    },
  };
}
