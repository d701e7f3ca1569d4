/** The anchors of all levels of a pyramid. */
import * as tf from '@tensorflow/tfjs-core';
import { imagesOf } from '@pyramidal/detector';
import type { MapSize } from '@pyramidal/nn';
import { type AnchorOptions, anchorsInside, anchorsPerCell, levelAnchors } from './anchors';

/** Which anchors take part in training. */
interface InsideOptions {
  /** Pixels that anchors may leave their image by; negative allows any. */
  readonly allowedBorder: number;
  /** Sides of images are padded to a multiple of these pixels: the backbone's coarsest stride. */
  readonly padding: number;
}

/** Anchors at every cell of the maps of a pyramid. */
export class PyramidAnchors {
  constructor(private readonly options: AnchorOptions) {}

  /** Anchors per cell: ratio-major, then scale. */
  get perCell(): number {
    return anchorsPerCell(this.options);
  }

  /** Those of one level, cell by cell. @returns float32 [height * width * perCell, 4], xyxy, pixels. */
  ofLevel(level: number, size: MapSize): tf.Tensor2D {
    return levelAnchors(this.options, level, size);
  }

  /** Those of all levels, one level after another. @returns float32 [A, 4], xyxy, pixels. */
  of(sizes: readonly MapSize[]): tf.Tensor2D {
    return tf.tidy(() => tf.concat(sizes.map((size, level) => this.ofLevel(level, size))));
  }

  /**
   * Which anchors of each image take part in training: those that lie on it, its padding included, and do not leave it by
   * more than a border.
   * @param images float32 [N, 2], (height, width) of each without padding.
   * @returns bool [A] per image.
   */
  inside(sizes: readonly MapSize[], images: tf.Tensor2D, { allowedBorder, padding }: InsideOptions): tf.Tensor1D[] {
    return tf.tidy(() => {
      return imagesOf({ images }).map(({ images: image }) => {
        const padded: tf.Tensor1D = tf.mul(tf.ceil(tf.div(image, padding)), padding);
        const border = { image, padded, allowedBorder };
        return tf.concat(sizes.map((map, level) => anchorsInside(this.options, level, map, border)));
      });
    });
  }
}
