/** What gives each query its class and its box (Deformable DETR, appendix A.4). */
import * as tf from '@tensorflow/tfjs-core';
import { initializers, Linear, Module } from '@pyramidal/nn';

/** A linear layer as PyTorch draws it. */
const torchLinear = (inputs: number, outputs: number): Linear => {
  const biasInit = initializers.uniform(1 / Math.sqrt(inputs));
  return new Linear(inputs, outputs, { init: initializers.fanInUniform, biasInit });
};

/** Logits of the classes. */
export function classHead(channels: number, classes: number): Linear {
  return new Linear(channels, classes, { init: initializers.fanInUniform, biasInit: initializers.rareClass });
}

/** Linear layers with ReLUs between them. */
export class Mlp extends Module {
  constructor(readonly layers: readonly Linear[]) {
    super();
  }

  /** @param x float32 [N, Q, channels]. @returns float32 [N, Q, the last layer's width]. */
  forward(x: tf.Tensor3D): tf.Tensor3D {
    return tf.tidy(() => this.layers.reduce((y, layer, i) => layer.forward(i === 0 ? y : tf.relu(y)), x));
  }
}

/**
 * How a box differs from its reference, before the sigmoid: at first not at all, but for its size.
 * @param logSize what is added to the inverse sigmoids of width and height at first.
 */
export function boxHead(channels: number, logSize: number): Mlp {
  const biasInit = (): Float32Array => Float32Array.of(0, 0, logSize, logSize);
  const last = new Linear(channels, 4, { init: initializers.zeros, biasInit });
  return new Mlp([torchLinear(channels, channels), torchLinear(channels, channels), last]);
}
