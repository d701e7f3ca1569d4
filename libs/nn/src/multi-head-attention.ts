/** Attention with learned queries, keys and values, under the names that PyTorch's `MultiheadAttention` has. */
import * as tf from '@tensorflow/tfjs-core';
import { biasAdd } from '@pyramidal/kernels';
import type { ForwardPass } from './forward-pass';
import { type Initializer, xavierUniform, zeros } from './initializers';
import { Linear } from './linear';
import { Module } from './module';
import { Parameter } from './parameter';
import { softmaxAttention } from './softmax-attention';

/** What attends to what; queries and keys may be the same tensor. */
export interface AttentionInputs {
  /** float32 [N, T, C]. */
  readonly queries: tf.Tensor3D;
  /** float32 [N, S, C]. */
  readonly keys: tf.Tensor3D;
  /** float32 [N, S, C]. */
  readonly values: tf.Tensor3D;
  /** Added to the similarities, float32, broadcast to [N, heads, T, S]; -Infinity hides a token. */
  readonly mask?: tf.Tensor4D | undefined;
}

interface MultiHeadAttentionOptions {
  readonly heads: number;
  /** Share of the attention weights that training drops; default 0. */
  readonly dropout?: number;
  readonly init?: Initializer;
}

/** Multi-head attention (Vaswani et al. 2017, section 3.2.2). */
export class MultiHeadAttention extends Module {
  /** Of queries, keys and values, in this order. */
  readonly inProjWeight: Parameter;
  readonly inProjBias: Parameter;
  readonly outProj: Linear;
  private readonly heads: number;
  private readonly dropout: number;

  /** @throws RangeError if the heads would be of different width. */
  constructor(
    readonly channels: number,
    { heads, dropout = 0, init = xavierUniform }: MultiHeadAttentionOptions,
  ) {
    super();
    if (channels % heads !== 0) {
      throw new RangeError(
        `MultiHeadAttention: expected channels in ${heads} heads of equal width, received ${channels}`,
      );
    }
    this.inProjWeight = new Parameter({ shape: [channels, 3 * channels], layout: 'linear', init });
    this.inProjBias = new Parameter({ shape: [3 * channels], init: zeros });
    this.outProj = new Linear(channels, channels, { init });
    this.heads = heads;
    this.dropout = dropout;
  }

  /** @returns float32 [N, T, C]. */
  forward({ queries, keys, values, mask }: AttentionInputs, pass: ForwardPass): tf.Tensor3D {
    return tf.tidy(() => {
      const projected = [queries, keys, values].map((x, part) => this.project(x, part));
      const drops = pass.mode === 'train' && this.dropout > 0;
      const dropWeights = drops ? (weights: tf.Tensor4D) => pass.dropout(weights, this.dropout) : undefined;
      const [q, k, v] = projected as [tf.Tensor3D, tf.Tensor3D, tf.Tensor3D];
      return this.outProj.forward(softmaxAttention(q, k, v, { heads: this.heads, mask, dropWeights }));
    });
  }

  /** Queries, keys or values: a third of the projection. */
  private project(x: tf.Tensor3D, part: number): tf.Tensor3D {
    const { channels } = this;
    const weight = tf.slice(this.inProjWeight.value<tf.Rank.R2>(), [0, part * channels], [channels, channels]);
    const bias = tf.slice(this.inProjBias.value<tf.Rank.R1>(), part * channels, channels);
    return tf.reshape(biasAdd(tf.matMul(tf.reshape(x, [-1, channels]), weight), bias), x.shape);
  }
}
