/** The decoder of Deformable DETR (Zhu et al. 2021, section 4.2): queries look at each other, then at the memory. */
import * as tf from '@tensorflow/tfjs-core';
import { type ForwardPass, LayerNorm, type Linear, Module, MultiHeadAttention } from '@pyramidal/nn';
import { DeformableAttention, type LevelTokens } from './deformable-attention';
import { feedForward, type LayerOptions, type Names, transformerLinear } from './transformer-layer';

/** What the encoder hands on. */
export interface Memory extends LevelTokens {
  /** float32 [N, L, 2], (width, height): the share of each map that lies in the image. */
  readonly ratios: tf.Tensor3D;
}

/** Queries of a layer. */
export interface Queries {
  /** float32 [N, Q, channels]. */
  readonly content: tf.Tensor3D;
  /** float32 [N, Q, channels]. */
  readonly position: tf.Tensor3D;
  /** float32 [N, Q, 2] or [N, Q, 4]: centre, or centre and size, over those of the image. */
  readonly references: tf.Tensor3D;
  /** Added to the similarities of queries, float32 [1, 1, Q, Q]: much less than 0 hides one from another. */
  readonly mask?: tf.Tensor4D | undefined;
}

export class DecoderLayer extends Module {
  protected override readonly officialNames: Names;
  readonly crossAttn: DeformableAttention;
  readonly norm1: LayerNorm;
  readonly selfAttn: MultiHeadAttention;
  readonly norm2: LayerNorm;
  readonly linear1: Linear;
  readonly linear2: Linear;
  readonly norm3: LayerNorm;
  private readonly dropout: number;

  constructor(options: LayerOptions, names: Names) {
    super();
    const { channels, heads, feedForward: hidden, dropout } = options;
    this.officialNames = names;
    this.crossAttn = new DeformableAttention(options);
    this.norm1 = new LayerNorm(channels);
    this.selfAttn = new MultiHeadAttention(channels, { heads, dropout });
    this.norm2 = new LayerNorm(channels);
    this.linear1 = transformerLinear(channels, hidden);
    this.linear2 = transformerLinear(hidden, channels);
    this.norm3 = new LayerNorm(channels);
    this.dropout = dropout;
  }

  /** @returns the queries' new content, float32 [N, Q, channels]. */
  forward({ content, position, references, mask }: Queries, memory: Memory, pass: ForwardPass): tf.Tensor3D {
    return tf.tidy(() => {
      const asked: tf.Tensor3D = tf.add(content, position);
      const talk = this.selfAttn.forward({ queries: asked, keys: asked, values: content, mask }, pass);
      const agreed = this.norm2.forward(tf.add<tf.Tensor3D>(content, pass.dropout(talk, this.dropout)));
      const places = onLevels(references, memory.ratios);
      const seen = this.crossAttn.forward(tf.add(agreed, position), places, memory);
      const informed = this.norm1.forward(tf.add<tf.Tensor3D>(agreed, pass.dropout(seen, this.dropout)));
      const changed = feedForward(informed, [this.linear1, this.linear2], this.dropout, pass);
      return this.norm3.forward(tf.add<tf.Tensor3D>(informed, changed));
    });
  }
}

/** References in images, taken to the levels with their padding: [N, Q, L, 2] or [N, Q, L, 4]. */
export function onLevels(references: tf.Tensor3D, ratios: tf.Tensor3D): tf.Tensor4D {
  return tf.tidy(() => {
    const pairs = references.shape[2] / 2;
    return tf.mul(tf.expandDims(references, 2), tf.tile(tf.expandDims(ratios, 1), [1, 1, 1, pairs]));
  });
}
