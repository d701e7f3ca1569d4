/** What of a batch's maps is padding, and where the cells of the maps lie in their images (Deformable DETR's code). */
import * as tf from '@tensorflow/tfjs-core';
import type { MapSize } from '@pyramidal/nn';

/** Which rows and columns of a map lie in the image, for every image of a batch. */
export interface LevelPadding {
  readonly size: MapSize;
  /** float32 [N, H], 1 in the image and 0 beyond. */
  readonly rows: tf.Tensor2D;
  /** float32 [N, W]. */
  readonly columns: tf.Tensor2D;
}

/**
 * The padding of one level. A cell takes after the pixel at its upper left corner, as nearest resizing of a mask does.
 * @param sizes float32 [N, 2], (height, width) of each image within the canvas.
 * @param canvas height and width of the batch's images.
 */
export function levelPadding(sizes: tf.Tensor2D, canvas: MapSize, size: MapSize): LevelPadding {
  const along = (axis: 0 | 1): tf.Tensor2D =>
    tf.tidy(() => {
      const pixels = tf.tensor2d(pixelsOf(size[axis], canvas[axis]), [1, size[axis]]);
      return tf.cast(tf.less<tf.Tensor2D>(pixels, tf.slice(sizes, [0, axis], [-1, 1])), 'float32');
    });
  return { size, rows: along(0), columns: along(1) };
}

function pixelsOf(cells: number, pixels: number): number[] {
  const step = Math.fround(pixels / cells);
  return Array.from({ length: cells }, (_, i) => Math.floor(Math.fround(i * step)));
}

/** 1 for each cell in the image and 0 for padding, cell by cell: float32 [N, H W, 1]. */
export function validCells({ rows, columns }: LevelPadding): tf.Tensor3D {
  return tf.tidy(() => {
    const cells = tf.mul(tf.expandDims(rows, 2), tf.expandDims(columns, 1));
    return tf.reshape(cells, [rows.shape[0], -1, 1]);
  });
}

/** How many columns and rows lie in the image: float32 [N, 2], (width, height). */
export function validCounts({ rows, columns }: LevelPadding): tf.Tensor2D {
  return tf.tidy(() => tf.stack([tf.sum(columns, 1), tf.sum(rows, 1)], 1) as tf.Tensor2D);
}

/** The share of every map that lies in the image: float32 [N, L, 2], (width, height). */
export function validRatios(levels: readonly LevelPadding[]): tf.Tensor3D {
  return tf.tidy(() => {
    const ratios = levels.map((level) => {
      const [height, width] = level.size;
      return tf.div(validCounts(level), tf.tensor2d([[width, height]]));
    });
    return tf.stack(ratios, 1) as tf.Tensor3D;
  });
}

/** Centres of cells over the part of the map that lies in the image: x and y, float32 [N, H W, 2], beyond 1 in padding. */
export function cellCentres(level: LevelPadding): tf.Tensor3D {
  return tf.tidy(() => {
    const [height, width] = level.size;
    const images = level.rows.shape[0];
    const counts = tf.reshape(validCounts(level), [images, 1, 1, 2]);
    return tf.reshape(tf.div(gridOf([height, width]), counts), [images, height * width, 2]);
  });
}

/** Middles of cells in cells, [1, H, W, 2]: x and y. */
function gridOf([height, width]: MapSize): tf.Tensor4D {
  const middles = new Float32Array(height * width * 2);
  for (let y = 0, at = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      middles[at++] = x + 0.5;
      middles[at++] = y + 0.5;
    }
  }
  return tf.tensor4d(middles, [1, height, width, 2]);
}

/**
 * Where each cell looks from on every level: its centre in the image, taken to the levels with their padding.
 * @returns float32 [N, S, L, 2].
 */
export function referencePoints(levels: readonly LevelPadding[]): tf.Tensor4D {
  return tf.tidy(() => {
    const centres = tf.concat(levels.map(cellCentres), 1);
    return tf.mul(tf.expandDims(centres, 2), tf.expandDims(validRatios(levels), 1));
  });
}
