/** What the layers of encoder and decoder share: sizes, names and the feed-forward part. */
import * as tf from '@tensorflow/tfjs-core';
import { type ForwardPass, initializers, Linear } from '@pyramidal/nn';
import type { DeformableAttentionOptions } from './deformable-attention';

export interface LayerOptions extends DeformableAttentionOptions {
  /** Width of the feed-forward part. */
  readonly feedForward: number;
  readonly dropout: number;
}

/** The official names of modules by our fields, where they are not these. */
export type Names = Readonly<Record<string, string>>;

/** A linear layer inside a transformer: weights by Glorot & Bengio, the bias as PyTorch draws it. */
export const transformerLinear = (inputs: number, outputs: number): Linear =>
  new Linear(inputs, outputs, {
    init: initializers.xavierUniform,
    biasInit: initializers.uniform(1 / Math.sqrt(inputs)),
  });

/** Two linear layers around a ReLU. @param x float32 [N, S, channels]. @returns the same shape. */
export function feedForward(
  x: tf.Tensor3D,
  [first, second]: readonly [Linear, Linear],
  dropout: number,
  pass: ForwardPass,
): tf.Tensor3D {
  return tf.tidy(() => {
    const hidden = pass.dropout(tf.relu(first.forward(x)), dropout);
    return pass.dropout(second.forward(hidden), dropout);
  });
}
