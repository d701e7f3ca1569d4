/** Depthwise separable convolution (Howard et al. 2017, MobileNets, section 3.1). */
import * as tf from '@tensorflow/tfjs-core';
import { Conv2d, DepthwiseConv2d } from './conv';
import { Module } from './module';

/** A depthwise convolution, then a pointwise one, both without bias. */
export class SeparableConv2d extends Module {
  readonly conv1: DepthwiseConv2d;
  readonly pointwiseConv: Conv2d;

  constructor(
    inChannels: number,
    outChannels: number,
    kernel: number,
    { stride = 1 }: { readonly stride?: number } = {},
  ) {
    super();
    this.conv1 = new DepthwiseConv2d(inChannels, kernel, { stride, bias: false });
    this.pointwiseConv = new Conv2d(inChannels, outChannels, 1, { bias: false });
  }

  /** @param x float32 [N, H, W, inChannels]. @returns float32 [N, ceil(H / stride), ceil(W / stride), outChannels]. */
  forward(x: tf.Tensor4D): tf.Tensor4D {
    return tf.tidy(() => this.pointwiseConv.forward(this.conv1.forward(x)));
  }
}
