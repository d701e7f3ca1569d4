/** A learned vector for each level, added to the positions of its cells (Deformable DETR, section 4.2). */
import * as tf from '@tensorflow/tfjs-core';
import { initializers, Module, Parameter } from '@pyramidal/nn';
import type { Names } from './transformer-layer';

export class LevelEmbedding extends Module {
  protected override readonly officialNames: Names;
  readonly levelEmbed: Parameter;

  constructor(levels: number, channels: number, names: Names) {
    super();
    this.officialNames = names;
    this.levelEmbed = new Parameter({ shape: [levels, channels], init: initializers.normal(1) });
  }

  /** @param positions float32 [N, cells, channels] of every level. @returns float32 [N, S, channels]. */
  forward(positions: readonly tf.Tensor3D[]): tf.Tensor3D {
    return tf.tidy(() => {
      const own = tf.split(this.levelEmbed.value<tf.Rank.R2>(), positions.length);
      return tf.concat(
        positions.map((position, level) => tf.add<tf.Tensor3D>(position, own[level]!)),
        1,
      );
    });
  }
}
