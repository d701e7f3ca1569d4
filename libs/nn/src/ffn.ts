/** The feed-forward network of transformers, under the names that OpenMMLab's `FFN` has. */
import * as tf from '@tensorflow/tfjs-core';
import { xavierUniform } from './initializers';
import { Linear } from './linear';
import { Module } from './module';

/** Two linear layers with a ReLU between them (Vaswani et al. 2017, section 3.3); the residual is the caller's. */
export class Ffn extends Module {
  readonly layers: readonly [[Linear], Linear];

  constructor(channels: number, hidden: number) {
    super();
    const first = new Linear(channels, hidden, { init: xavierUniform });
    this.layers = [[first], new Linear(hidden, channels, { init: xavierUniform })];
  }

  /** @param x float32 [..., channels]. @returns the same shape. */
  forward<T extends tf.Tensor>(x: T): T {
    const [[first], second] = this.layers;
    return tf.tidy(() => second.forward(tf.relu(first.forward(x))));
  }
}
