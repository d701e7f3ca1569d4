/** The feed-forward part of a transformer block (Vaswani et al. 2017, section 3.3). */
import * as tf from '@tensorflow/tfjs-core';
import { gelu } from '@pyramidal/kernels';
import type { ForwardPass } from './forward-pass';
import { Linear } from './linear';
import { Module } from './module';

/** The transformer's feed-forward part: two linear layers around an exact GELU. */
export class Mlp extends Module {
  readonly fc1: Linear;
  readonly fc2: Linear;
  private readonly dropout: number;

  constructor(channels: number, hidden: number, { dropout = 0 }: { readonly dropout?: number } = {}) {
    super();
    this.fc1 = new Linear(channels, hidden);
    this.fc2 = new Linear(hidden, channels);
    this.dropout = dropout;
  }

  /** @param x float32 [..., channels]. @returns the same shape. */
  forward<T extends tf.Tensor>(x: T, pass: ForwardPass): T {
    return tf.tidy(() => {
      const hidden = pass.dropout(gelu(this.fc1.forward(x)), this.dropout);
      return pass.dropout(this.fc2.forward(hidden), this.dropout);
    });
  }
}
