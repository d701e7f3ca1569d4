import * as tf from '@tensorflow/tfjs-core';
import { BatchNorm, Conv2d, type ForwardPass, initializers, Module } from '@pyramidal/nn';

/** 3x3 convolution, batch norm if told, ReLU; the fields are part of the official names. */
export class ConvModule extends Module {
  readonly conv: Conv2d;
  readonly bn: BatchNorm | undefined;

  constructor(inChannels: number, outChannels: number, { batchNorm = false } = {}) {
    super();
    this.conv = new Conv2d(inChannels, outChannels, 3, { bias: !batchNorm, init: initializers.fanOutNormal() });
    this.bn = batchNorm ? new BatchNorm(outChannels) : undefined;
  }

  /** @param x float32 [N, H, W, inChannels]. @returns float32 [N, H, W, outChannels]. */
  forward(x: tf.Tensor4D, pass: ForwardPass): tf.Tensor4D {
    return tf.tidy(() => {
      const y = this.conv.forward(x);
      return tf.relu(this.bn === undefined ? y : this.bn.forward(y, pass));
    });
  }
}
