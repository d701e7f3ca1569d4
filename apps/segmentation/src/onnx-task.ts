/** A segmentor as an ONNX model. */
import { IMAGENET_NORMALISATION } from '@pyramidal/images';
import { resizeBilinear } from '@pyramidal/kernels';
import { inferencePass } from '@pyramidal/nn';
import type { OnnxTask } from '@pyramidal/task';
import type { Segmentor } from '@pyramidal/upernet';
import * as tf from '@tensorflow/tfjs-core';

/**
 * The model gives `labels`, int32 [1, H, W], the likeliest class of every pixel, and the `logits` that they come from,
 * float32 [1, classes, ceil(H / 4), ceil(W / 4)].
 */
export function onnxSegmentor(network: Segmentor, classes: OnnxTask['classes']): OnnxTask {
  return {
    task: 'segmentation',
    outputs: (images) => {
      const [, height, width] = images.shape;
      const logits = network.forward(images, inferencePass());
      const labels = tf.argMax(resizeBilinear(logits, [height, width], { alignCorners: false }), 3);
      return { labels, logits: tf.transpose(logits, [0, 3, 1, 2]) };
    },
    classes,
    normalisation: IMAGENET_NORMALISATION,
  };
}
