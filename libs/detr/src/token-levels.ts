/** The levels of a batch as one row of tokens, and what the transformer has to know of their cells. */
import * as tf from '@tensorflow/tfjs-core';
import type { MapSize } from '@pyramidal/nn';
import { levelPadding, type LevelPadding, referencePoints, validCells, validRatios } from './padding';
import { sinePosition, type SineOptions } from './sine-position';

/** S tokens: the cells of all levels, one level after another, row by row. */
export interface TokenLevels {
  readonly maps: readonly MapSize[];
  readonly paddings: readonly LevelPadding[];
  /** Sine codes of every level, float32 [N, cells, channels]. */
  readonly positions: readonly tf.Tensor3D[];
  /** float32 [N, S, 1], 1 in the image and 0 in padding. */
  readonly valid: tf.Tensor3D;
  /** float32 [N, L, 2], (width, height): the share of each map that lies in the image. */
  readonly ratios: tf.Tensor3D;
  /** float32 [N, S, L, 2]: where each token looks from. */
  readonly references: tf.Tensor4D;
}

/** A canvas and its images: (height, width) of the batch, and float32 [N, 2] of the images within. */
export interface Canvas {
  readonly size: MapSize;
  readonly sizes: tf.Tensor2D;
}

/** @param maps float32 [N, H, W, channels], finest first. */
export function tokenLevels(maps: readonly tf.Tensor4D[], { size, sizes }: Canvas, sine: SineOptions): TokenLevels {
  const cells = maps.map(({ shape: [, height, width] }): MapSize => [height, width]);
  const paddings = cells.map((own) => levelPadding(sizes, size, own));
  return {
    maps: cells,
    paddings,
    positions: paddings.map((padding, level) => sinePosition(padding, maps[level]!.shape[3], sine)),
    valid: tf.concat(paddings.map(validCells), 1),
    ratios: validRatios(paddings),
    references: referencePoints(paddings),
  };
}

/** Maps as one row of tokens, float32 [N, S, channels]. */
export function tokensOf(maps: readonly tf.Tensor4D[]): tf.Tensor3D {
  return tf.tidy(() => {
    const rows = maps.map((map) => tf.reshape<tf.Rank.R3>(map, [map.shape[0], -1, map.shape[3]]));
    return tf.concat(rows, 1);
  });
}
