import * as tf from '@tensorflow/tfjs-core';
import { BatchNorm, Conv2d, type ForwardPass, initializers, Module } from '@pyramidal/nn';

/** Convolution without bias, batch norm, ReLU: what these heads are made of. */
export class ConvModule extends Module {
  readonly conv: Conv2d;
  readonly bn: BatchNorm;

  constructor(inChannels: number, outChannels: number, kernel: 1 | 3) {
    super();
    this.conv = new Conv2d(inChannels, outChannels, kernel, { bias: false, init: initializers.fanOutNormal() });
    this.bn = new BatchNorm(outChannels);
  }

  /** @param x float32 [N, H, W, inChannels]. @returns float32 [N, H, W, outChannels]. */
  forward(x: tf.Tensor4D, pass: ForwardPass): tf.Tensor4D {
    return tf.tidy(() => tf.relu(this.bn.forward(this.conv.forward(x), pass)));
  }
}
