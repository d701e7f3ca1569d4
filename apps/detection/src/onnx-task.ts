/** A detector as an ONNX model. */
import type { Detections, Detector } from '@pyramidal/detector';
import { IMAGENET_NORMALISATION } from '@pyramidal/images';
import { inferencePass } from '@pyramidal/nn';
import type { OnnxTask } from '@pyramidal/task';
import * as tf from '@tensorflow/tfjs-core';

/**
 * The model gives the objects it finds, best first: `boxes`, float32 [objects, 4], xyxy in pixels of the input; `scores`,
 * float32 [objects]; `labels`, int32 [objects]; and, of detectors that find them, `masks`, float32 [objects, side, side]:
 * probabilities over each box, to be resized to it.
 */
export function onnxDetector(network: Detector, classes: OnnxTask['classes']): OnnxTask {
  return {
    task: 'detection',
    outputs: (images) => detectWhole(network, images),
    rows: 'valid',
    classes,
    normalisation: IMAGENET_NORMALISATION,
  };
}

/** Detections in an image that fills its input, in pixels of that. @param images float32 [1, H, W, 3], normalised. */
export function detectWhole(network: Detector, images: tf.Tensor4D): Detections {
  const [, height, width] = images.shape;
  const sizes = tf.tensor2d([[height, width]]);
  return network.predict({ images, sizes }, tf.ones([1, 2]), inferencePass())[0]!;
}
