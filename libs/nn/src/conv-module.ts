/** OpenMMLab's `ConvModule`: convolution, batch norm, ReLU. */
import * as tf from '@tensorflow/tfjs-core';
import { BatchNorm } from './batch-norm';
import { Conv2d, type ConvOptions } from './conv';
import type { ForwardPass } from './forward-pass';
import { fanOutNormal } from './initializers';
import { Module } from './module';

/** The settings of a `ConvModule`. */
export interface ConvModuleOptions extends Omit<ConvOptions, 'bias'> {
  /** Side of the filters; default 3. */
  readonly kernel?: number;
  /** Normalises the output of the convolution, which then has no bias; default false. */
  readonly batchNorm?: boolean;
}

/** Convolution, batch norm if asked for, ReLU: what MMDetection's and MMSegmentation's heads are made of. */
export class ConvModule extends Module {
  readonly conv: Conv2d;
  readonly bn: BatchNorm | undefined;

  constructor(
    inChannels: number,
    outChannels: number,
    { kernel = 3, batchNorm = false, init = fanOutNormal(), ...geometry }: ConvModuleOptions = {},
  ) {
    super();
    this.conv = new Conv2d(inChannels, outChannels, kernel, { ...geometry, init, bias: !batchNorm });
    this.bn = batchNorm ? new BatchNorm(outChannels) : undefined;
  }

  /** @param x float32 [N, H, W, inChannels]. @returns float32 [N, H', W', outChannels]. */
  forward(x: tf.Tensor4D, pass: ForwardPass): tf.Tensor4D {
    return tf.tidy(() => {
      const y = this.conv.forward(x);
      return tf.relu(this.bn === undefined ? y : this.bn.forward(y, pass));
    });
  }
}
