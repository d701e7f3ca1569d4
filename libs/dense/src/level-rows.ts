/** What is predicted on the maps of a pyramid, as rows of anchors. */
import * as tf from '@tensorflow/tfjs-core';
import { clipBoxes, decodeDeltas, type DeltaOptions, takeRows } from '@pyramidal/boxes';
import type { MapSize } from '@pyramidal/nn';

/** Height and width of a level's map. @param map float32 [N, H, W, C]. */
export function mapSize({ shape: [, height, width] }: tf.Tensor4D): MapSize {
  return [height, width];
}

/**
 * Maps of all levels as rows of `width` numbers, one per anchor.
 * @param maps float32 [N, H, W, width * anchors per cell] each. @returns float32 [N, A, width].
 */
export function joinLevels(maps: readonly tf.Tensor4D[], width: number): tf.Tensor3D {
  return tf.tidy(() =>
    tf.concat(
      maps.map((map) => tf.reshape(map, [map.shape[0], -1, width]) as tf.Tensor3D),
      1,
    ),
  );
}

interface RankedAnchors {
  /** float32 [A, 4]. */
  readonly anchors: tf.Tensor2D;
  /** float32 [A, 4]. */
  readonly deltas: tf.Tensor2D;
  /** float32 [A], what to rank them by. */
  readonly scores: tf.Tensor1D;
}

/**
 * The best anchors, moved by their deltas and clipped to the image.
 * @param size float32 [2], (height, width) of the image. @param coder how deltas are normalised.
 * @returns `count` boxes at most, their rows among the anchors and their scores, best first.
 */
export function bestBoxes(
  { anchors, deltas, scores }: RankedAnchors,
  count: number,
  size: tf.Tensor1D,
  coder: DeltaOptions = {},
) {
  return tf.tidy(() => {
    const { indices, values } = tf.topk(scores, Math.min(count, scores.size));
    const decoded = decodeDeltas<tf.Tensor2D>(takeRows(anchors, indices), takeRows(deltas, indices), coder);
    return { boxes: clipBoxes(decoded, size), indices, scores: values };
  });
}
