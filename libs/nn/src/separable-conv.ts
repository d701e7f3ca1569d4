import type * as tf from '@tensorflow/tfjs-core';
import { Conv2d, DepthwiseConv2d } from './conv';
import type { Initializer } from './initializers';
import { Module } from './module';

export interface SeparableConvOptions {
  readonly stride?: number;
  readonly depthwiseInit?: Initializer;
  readonly pointwiseInit?: Initializer;
}

/** A depthwise convolution, then a pointwise one, both without bias. */
export class SeparableConv2d extends Module {
  readonly conv1: DepthwiseConv2d;
  readonly pointwiseConv: Conv2d;

  constructor(
    inChannels: number,
    outChannels: number,
    kernel: number,
    { stride = 1, depthwiseInit, pointwiseInit }: SeparableConvOptions = {},
  ) {
    super();
    this.conv1 = new DepthwiseConv2d(inChannels, kernel, { stride, bias: false, init: depthwiseInit });
    this.pointwiseConv = new Conv2d(inChannels, outChannels, 1, { bias: false, init: pointwiseInit });
  }

  /** @param x float32 [N, H, W, inChannels]. @returns float32 [N, ceil(H / stride), ceil(W / stride), outChannels]. */
  forward(x: tf.Tensor4D): tf.Tensor4D {
    return this.pointwiseConv.forward(this.conv1.forward(x));
  }
}
