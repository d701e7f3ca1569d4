/** Attention of queries to a few points of every level (Zhu et al. 2021, Deformable DETR, section 4.1; MSDeformAttn). */
import * as tf from '@tensorflow/tfjs-core';
import { deformableAttention, type MapSize } from '@pyramidal/kernels';
import { initializers, Linear, Module } from '@pyramidal/nn';

export interface DeformableAttentionOptions {
  readonly channels: number;
  readonly heads: number;
  /** Maps that are looked at. */
  readonly levels: number;
  /** Points of each head on each map. */
  readonly points: number;
}

/** The tokens of all levels, one level after another, row by row. */
export interface LevelTokens {
  readonly maps: readonly MapSize[];
  /** float32 [N, S, channels]. */
  readonly tokens: tf.Tensor3D;
  /** float32 [N, S, 1], 1 in the image and 0 in padding. */
  readonly valid: tf.Tensor3D;
}

export class DeformableAttention extends Module {
  readonly samplingOffsets: Linear;
  readonly attentionWeights: Linear;
  readonly valueProj: Linear;
  readonly outputProj: Linear;

  /** @throws RangeError if the channels do not make heads of one size. */
  constructor(private readonly options: DeformableAttentionOptions) {
    super();
    const { channels, heads, levels, points } = options;
    if (channels % heads !== 0) {
      throw new RangeError(`deformable attention: expected a multiple of ${heads} channels, received ${channels}`);
    }
    const { zeros, xavierUniform: init } = initializers;
    const samples = heads * levels * points;
    this.samplingOffsets = new Linear(channels, 2 * samples, { init: zeros, biasInit: aroundTheQuery(options) });
    this.attentionWeights = new Linear(channels, samples, { init: zeros });
    this.valueProj = new Linear(channels, channels, { init });
    this.outputProj = new Linear(channels, channels, { init });
  }

  /**
   * @param query float32 [N, Q, channels].
   * @param references float32 [N, Q, L, 2], where each query looks from, x and y over the map; or [N, Q, L, 4] with the
   * width and height within which it looks.
   * @returns float32 [N, Q, channels].
   */
  forward(query: tf.Tensor3D, references: tf.Tensor4D, { maps, tokens, valid }: LevelTokens): tf.Tensor3D {
    return tf.tidy(() => {
      const { channels, heads, levels, points } = this.options;
      const [images, queries] = query.shape;
      const values = tf.mul<tf.Tensor3D>(this.valueProj.forward(tokens), valid);
      const logits = tf.reshape(this.attentionWeights.forward(query), [images * queries * heads, levels * points]);
      return this.outputProj.forward(
        deformableAttention(
          tf.reshape(values, [images, -1, heads, channels / heads]),
          maps,
          this.locations(this.samplingOffsets.forward(query), references, maps),
          tf.reshape(tf.softmax(logits), [images, queries, heads, levels, points]),
        ),
      );
    });
  }

  /** [N, Q, heads, L, points, 2] */
  private locations(offsets: tf.Tensor3D, references: tf.Tensor4D, maps: readonly MapSize[]): tf.Tensor<tf.Rank.R6> {
    const { heads, levels, points } = this.options;
    const [images, queries] = offsets.shape;
    const moves = tf.reshape<tf.Rank.R5>(offsets, [images * queries, heads, levels, points, 2]);
    const from = tf.reshape<tf.Rank.R5>(references, [images * queries, 1, levels, 1, -1]);
    const part = (first: number): tf.Tensor5D => tf.slice(from, [0, 0, 0, 0, first], [-1, -1, -1, -1, 2]);
    const steps =
      references.shape[3] === 2 ? tf.div(moves, cellsOf(maps)) : tf.mul(tf.div(moves, points), tf.mul(part(2), 0.5));
    return tf.reshape(tf.add(part(0), steps), [images, queries, heads, levels, points, 2]);
  }
}

/** Width and height of every map in cells, [L, 1, 2]. */
const cellsOf = (maps: readonly MapSize[]): tf.Tensor3D =>
  tf.tensor3d(maps.flatMap(([height, width]) => [width, height]), [maps.length, 1, 2]); // prettier-ignore

/** Each head looks in a direction of its own, each point of it a cell further (appendix A.4 of the paper). */
function aroundTheQuery({ heads, levels, points }: DeformableAttentionOptions): initializers.Initializer {
  return () => {
    const offsets: number[] = [];
    for (let head = 0; head < heads; head++) {
      const angle = (2 * Math.PI * head) / heads;
      const [x, y] = [Math.cos(angle), Math.sin(angle)];
      const longest = Math.max(Math.abs(x), Math.abs(y));
      for (let level = 0; level < levels; level++) {
        for (let point = 1; point <= points; point++) offsets.push((x / longest) * point, (y / longest) * point);
      }
    }
    return Float32Array.from(offsets);
  };
}
