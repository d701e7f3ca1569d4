/** A batch of one toy picture with truth, for specs of detectors. */
import * as tf from '@tensorflow/tfjs-core';
import type { DetectionTensors } from '../assemble';

const MASK_SIDE = 28;

/** Noise with two objects an image, class 1 above class 3, whose masks fill their boxes; the caller's to dispose. */
export function toyBatch({
  height,
  width,
  images,
}: {
  height: number;
  width: number;
  images: number;
}): DetectionTensors {
  const [low, high] = [0.1 * height, 0.45 * height];
  const boxes = [
    [0.1 * width, low, 0.5 * width, high],
    [0.3 * width, 0.5 * height, 0.9 * width, 0.95 * height],
  ];
  const each = <T>(value: T): T[] => Array.from({ length: images }, () => value);
  return {
    images: tf.randomNormal<tf.Rank.R4>([images, height, width, 3], 0, 1, 'float32', 2),
    sizes: tf.tensor2d(each([height, width])),
    boxes: tf.tensor3d(each(boxes)),
    labels: tf.tensor2d(each([1, 3]), [images, 2], 'int32'),
    masks: tf.ones<tf.Rank.R4>([images, 2, MASK_SIDE, MASK_SIDE]),
    regions: tf.tensor3d(each(boxes)),
    ignored: tf.zeros<tf.Rank.R3>([images, 1, 4]),
  };
}
