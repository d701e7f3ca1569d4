/** A detector as TensorFlow Serving calls it: photographs in, objects out. */
import type { Detector } from '@pyramidal/detector';
import { tightCanvas } from '@pyramidal/coco';
import { IMAGENET_NORMALISATION, keepRatioSize, normaliseTensor, resizeTensor } from '@pyramidal/images';
import { inferencePass } from '@pyramidal/nn';
import type { ServingTask } from '@pyramidal/task';
import * as tf from '@tensorflow/tfjs-core';
import type { DetectionConfig } from './config';

/**
 * The model gives `count`, int32 [1], of objects, and rows for them, best first, of which the rest hold nothing: `boxes`,
 * float32 [1, rows, 4], xyxy in pixels of the photograph; `scores`, float32 [1, rows]; `labels`, int32 [1, rows]; and, of
 * detectors that find them, `masks`, float32 [1, rows, side, side]: probabilities over each box, to be resized to it.
 */
export function servedDetector({ input }: Pick<DetectionConfig, 'input'>, network: Detector): ServingTask {
  return {
    size: { height: input.shortest, width: input.longest },
    outputs: (pixels) => {
      const [, height, width] = pixels.shape;
      const size = keepRatioSize({ height, width }, input);
      const canvas = tightCanvas([size]);
      const resized = normaliseTensor(
        resizeTensor(pixels, { ...size, convention: 'opencv-bilinear' }),
        IMAGENET_NORMALISATION,
      );
      const sides = [[0, 0], [0, canvas.height - size.height], [0, canvas.width - size.width], [0, 0]] as [number, number][]; // prettier-ignore
      const batch = { images: tf.pad(resized, sides), sizes: tf.tensor2d([[size.height, size.width]]) };
      const scales = tf.tensor2d([[size.height / height, size.width / width]]);
      const { valid, boxes, scores, labels, masks } = network.predict(batch, scales, inferencePass())[0]!;
      const found = { boxes, scores, labels, ...(masks && { masks }) };
      return {
        count: tf.sum(tf.cast(valid, 'int32'), 0, true),
        ...Object.fromEntries(Object.entries(found).map(([name, rows]) => [name, tf.expandDims(rows)])),
      };
    },
  };
}
