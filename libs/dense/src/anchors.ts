/** Anchors of a pyramid (Faster R-CNN, section 3.1.1; FPN, section 4.1), placed as MMDetection 2 places them. */
import * as tf from '@tensorflow/tfjs-core';
import type { MapSize } from '@pyramidal/nn';
import { coordinates } from '@pyramidal/boxes';

/** The shapes of the anchors, and where they lie. */
export interface AnchorOptions {
  /** Pixels per cell of each level; a level's anchors grow with it. */
  readonly strides: readonly number[];
  /** Side of the square anchor in strides; several give more anchors per cell. */
  readonly scales: readonly number[];
  /** Height over width. */
  readonly ratios: readonly number[];
}

/** Anchors per cell: ratio-major, then scale. */
export function anchorsPerCell({ scales, ratios }: AnchorOptions): number {
  return scales.length * ratios.length;
}

/** The anchors around pixel (0, 0) of a level, `[x1, y1, x2, y2]` in pixels. */
export function baseAnchors({ strides, scales, ratios }: AnchorOptions, level: number): number[][] {
  const { fround } = Math;
  return ratios.flatMap((ratio) => {
    const tall = fround(Math.sqrt(fround(ratio)));
    const wide = fround(1 / tall);
    return scales.map((scale) => {
      const [w, h] = [fround(strides[level]! * wide) * fround(scale), fround(strides[level]! * tall) * fround(scale)];
      return [-w / 2, -h / 2, w / 2, h / 2];
    });
  });
}

/**
 * All anchors of one level, cell by cell in row-major order; centres lie at multiples of the stride, with no half-cell
 * offset.
 * @returns float32 [height * width * anchors per cell, 4], xyxy, pixels.
 */
export function levelAnchors(options: AnchorOptions, level: number, [height, width]: MapSize): tf.Tensor2D {
  const stride = options.strides[level]!;
  return tf.tidy(() => {
    const base = tf.reshape(tf.tensor2d(baseAnchors(options, level)), [1, 1, anchorsPerCell(options), 4]);
    const across = tf.broadcastTo(tf.reshape(tf.mul(tf.range(0, width), stride), [1, width]), [height, width]);
    const down = tf.broadcastTo(tf.reshape(tf.mul(tf.range(0, height), stride), [height, 1]), [height, width]);
    const shifts = tf.reshape(tf.stack([across, down, across, down], -1), [height, width, 1, 4]);
    return tf.reshape(tf.add(shifts, base), [-1, 4]);
  });
}

interface InsideOptions {
  /** float32 [2], (height, width) that the network sees of the image with its padding. */
  readonly padded: tf.Tensor1D;
  /** float32 [2], (height, width) of the image alone. */
  readonly image: tf.Tensor1D;
  /** Pixels that an anchor may reach beyond the image; negative allows any. */
  readonly allowedBorder: number;
}

/**
 * Which anchors of a level take part in training: their cell lies on the padded image, and they do not leave the image
 * by more than the border.
 * @returns bool, one per row of `levelAnchors`.
 */
export function anchorsInside(
  options: AnchorOptions,
  level: number,
  [height, width]: MapSize,
  { padded, image, allowedBorder }: InsideOptions,
): tf.Tensor1D {
  const stride = options.strides[level]!;
  return tf.tidy(() => {
    const [paddedHeight, paddedWidth] = tf.split(padded, 2) as [tf.Tensor, tf.Tensor];
    const rows = tf.less(tf.mul(tf.range(0, height), stride), paddedHeight);
    const columns = tf.less(tf.mul(tf.range(0, width), stride), paddedWidth);
    const cells = tf.logicalAnd(tf.reshape(rows, [height, 1]), tf.reshape(columns, [1, width]));
    const count = anchorsPerCell(options);
    const valid = tf.reshape(tf.tile(tf.reshape(cells, [-1, 1]), [1, count]), [-1]) as tf.Tensor1D;
    if (allowedBorder < 0) return valid;
    const [x1, y1, x2, y2] = coordinates(levelAnchors(options, level, [height, width]));
    const [imageHeight, imageWidth] = tf.split(image, 2) as [tf.Tensor, tf.Tensor];
    const inside = [
      tf.greaterEqual(x1, -allowedBorder),
      tf.greaterEqual(y1, -allowedBorder),
      tf.less(x2, tf.add(imageWidth, allowedBorder)),
      tf.less(y2, tf.add(imageHeight, allowedBorder)),
    ];
    return inside.reduce((all, one) => tf.logicalAnd(all, one), valid) as tf.Tensor1D;
  });
}
