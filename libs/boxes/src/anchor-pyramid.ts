/** The anchors of all levels of a pyramid, and a head's maps in the order of the anchors. */
import * as tf from '@tensorflow/tfjs-core';
import type { MapSize } from '@pyramidal/nn';
import { anchorsInside, levelAnchors, type AnchorOptions } from './anchors';
import { decodeDeltas, type DeltaOptions } from './box-deltas';
import { clipBoxes } from './boxes';
import { takeRows } from './take-rows';

/** Height and width of each level's map. */
export function mapSizes(maps: readonly tf.Tensor4D[]): MapSize[] {
  return maps.map(({ shape: [, height, width] }) => [height, width]);
}

/** Anchors level by level, float32 [A, 4]. */
export function pyramidAnchors(options: AnchorOptions, sizes: readonly MapSize[]): tf.Tensor2D {
  return tf.tidy(() => tf.concat(sizes.map((size, level) => levelAnchors(options, level, size))));
}

/**
 * Which anchors of each image take part in training: those that lie on it, its padding included, and do not leave it by
 * more than a border.
 * @param images float32 [N, 2], (height, width) of each without padding.
 * @param border in pixels: how far anchors may leave the image, negative for any; and what sides of images are padded
 * to a multiple of, the backbone's coarsest stride.
 * @returns bool [A] per image.
 */
export function pyramidAnchorsInside(
  options: AnchorOptions,
  sizes: readonly MapSize[],
  images: tf.Tensor2D,
  { allowedBorder, padding }: { readonly allowedBorder: number; readonly padding: number },
): tf.Tensor1D[] {
  return tf.tidy(() => {
    return tf.unstack(images).map((size) => {
      const image = size as tf.Tensor1D;
      const padded: tf.Tensor1D = tf.mul(tf.ceil(tf.div(image, padding)), padding);
      const border = { image, padded, allowedBorder };
      return tf.concat(sizes.map((map, level) => anchorsInside(options, level, map, border)));
    });
  });
}

/** Maps of all levels as rows of `width` numbers, one per anchor. @returns float32 [N, A, width]. */
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
