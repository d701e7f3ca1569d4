/** A segmentor as TensorFlow Serving calls it: photographs in, the class of each pixel out. */
import { scaledSize } from '@pyramidal/ade20k';
import { IMAGENET_NORMALISATION, normaliseTensor, resizeTensor } from '@pyramidal/images';
import { inferencePass } from '@pyramidal/nn';
import type { ServingTask } from '@pyramidal/task';
import { inferView, probabilityStrips, type Segmentor } from '@pyramidal/upernet';
import * as tf from '@tensorflow/tfjs-core';
import { evaluationTransform } from './assemble';
import type { SegmentationConfig } from './config';

/** The model gives `labels`, int32 [1, H, W], for pixels of the photograph, looked at as the configuration says. */
export function servedSegmentor(config: SegmentationConfig, network: Segmentor): ServingTask {
  const { input, inference, testTime } = config;
  const { scale, ratios } = evaluationTransform(config);
  const forward = (images: tf.Tensor4D): tf.Tensor4D => network.forward(images, inferencePass());
  return {
    size: { height: input.crop, width: input.crop },
    outputs: (pixels) => {
      const [, height, width] = pixels.shape;
      const size = { height, width };
      const views = ratios.flatMap((ratio) => {
        const resized = resizeTensor(pixels, { ...scaledSize(size, scale, ratio), convention: 'opencv-bilinear' });
        const image = normaliseTensor(resized, IMAGENET_NORMALISATION);
        return (testTime.flip ? [false, true] : [false]).map((isMirrored) =>
          inferView(forward, image, inference, isMirrored),
        );
      });
      const strips = Array.from(probabilityStrips(views, size), (strip) => tf.argMax(strip, 2));
      return { labels: tf.expandDims(tf.concat(strips, 0)) };
    },
  };
}
