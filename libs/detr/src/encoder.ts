/** The encoder of Deformable DETR (Zhu et al. 2021, section 4.2): the cells of all levels look at each other. */
import * as tf from '@tensorflow/tfjs-core';
import { type ForwardPass, LayerNorm, type Linear, Module } from '@pyramidal/nn';
import { DeformableAttention } from './deformable-attention';
import type { LevelEmbedding } from './level-embedding';
import type { TokenLevels } from './token-levels';
import { feedForward, type LayerOptions, type Names, transformerLinear } from './transformer-layer';

export class EncoderLayer extends Module {
  protected override readonly officialNames: Names;
  readonly selfAttn: DeformableAttention;
  readonly norm1: LayerNorm;
  readonly linear1: Linear;
  readonly linear2: Linear;
  readonly norm2: LayerNorm;
  private readonly dropout: number;

  constructor(options: LayerOptions, names: Names) {
    super();
    const { channels, feedForward: hidden, dropout } = options;
    this.officialNames = names;
    this.selfAttn = new DeformableAttention(options);
    this.norm1 = new LayerNorm(channels);
    this.linear1 = transformerLinear(channels, hidden);
    this.linear2 = transformerLinear(hidden, channels);
    this.norm2 = new LayerNorm(channels);
    this.dropout = dropout;
  }

  /** @param x float32 [N, S, channels]. @param position the same shape. @returns the same shape. */
  forward(
    x: tf.Tensor3D,
    position: tf.Tensor3D,
    { maps, valid, references }: Pick<TokenLevels, 'maps' | 'valid' | 'references'>,
    pass: ForwardPass,
  ): tf.Tensor3D {
    return tf.tidy(() => {
      const seen = this.selfAttn.forward(tf.add(x, position), references, { maps, valid, tokens: x });
      const mixed = this.norm1.forward(tf.add<tf.Tensor3D>(x, pass.dropout(seen, this.dropout)));
      const changed = feedForward(mixed, [this.linear1, this.linear2], this.dropout, pass);
      return this.norm2.forward(tf.add<tf.Tensor3D>(mixed, changed));
    });
  }
}

export class Encoder extends Module {
  readonly layers: EncoderLayer[];

  constructor(count: number, options: LayerOptions, names: Names) {
    super();
    this.layers = Array.from({ length: count }, () => new EncoderLayer(options, names));
  }

  /**
   * @param x float32 [N, S, channels]. @param embedding tells the levels apart.
   * @returns what every layer gives, float32 [N, S, channels]; the last one is the memory.
   */
  forward(x: tf.Tensor3D, levels: TokenLevels, embedding: LevelEmbedding, pass: ForwardPass): tf.Tensor3D[] {
    const outputs: tf.Tensor3D[] = [];
    const constants = [levels.valid, levels.references, ...levels.positions];
    for (const layer of this.layers) {
      // The embedding is added anew in each layer, so that one that is run again finds it among its own parameters.
      const run = (tokens: tf.Tensor3D, seen: ForwardPass, given: readonly tf.Tensor[]): tf.Tensor3D => {
        const [valid, references, ...positions] = given as [tf.Tensor3D, tf.Tensor4D, ...tf.Tensor3D[]];
        return layer.forward(tokens, embedding.forward(positions), { maps: levels.maps, valid, references }, seen);
      };
      outputs.push(pass.through([layer, embedding], outputs.at(-1) ?? x, run, constants));
    }
    return outputs;
  }
}
