/** OpenMMLab's `ConvModule`: convolution, norm, ReLU. */
import * as tf from '@tensorflow/tfjs-core';
import { biasAdd, convOfResized } from '@pyramidal/kernels';
import { BatchNorm } from './batch-norm';
import { Conv2d, type ConvOptions } from './conv';
import type { ForwardPass } from './forward-pass';
import { GroupNorm } from './group-norm';
import { fanOutNormal } from './initializers';
import { Module } from './module';

/** The settings of a `ConvModule`. */
export interface ConvModuleOptions extends Omit<ConvOptions, 'bias'> {
  /** Side of the filters; default 3. */
  readonly kernel?: number;
  /** Normalises the output of the convolution, which then has no bias; default none. */
  readonly norm?: 'batch' | 'group';
}

/** Convolution, norm if asked for, ReLU: what MMDetection's and MMSegmentation's heads are made of. */
export class ConvModule extends Module {
  readonly conv: Conv2d;
  readonly bn: BatchNorm | undefined;
  readonly gn: GroupNorm | undefined;

  constructor(
    inChannels: number,
    outChannels: number,
    { kernel = 3, norm, init = fanOutNormal(), ...geometry }: ConvModuleOptions = {},
  ) {
    super();
    this.conv = new Conv2d(inChannels, outChannels, kernel, { ...geometry, init, bias: norm === undefined });
    this.bn = norm === 'batch' ? new BatchNorm(outChannels) : undefined;
    this.gn = norm === 'group' ? new GroupNorm(outChannels) : undefined;
  }

  /** @param x float32 [N, H, W, inChannels]. @returns float32 [N, H', W', outChannels]. */
  forward(x: tf.Tensor4D, pass: ForwardPass): tf.Tensor4D {
    return tf.tidy(() => this.activated(this.conv.forward(x), pass));
  }

  /**
   * The same of maps side by side that are first resized to the first one's size, for 3x3 filters at stride 1.
   * @param maps float32 [N, H, W, C], then [N, h, w, c] each, of `inChannels` channels together.
   * @returns float32 [N, H, W, outChannels].
   */
  forwardResized(maps: readonly tf.Tensor4D[], pass: ForwardPass): tf.Tensor4D {
    const { weight, bias } = this.conv;
    return tf.tidy(() => {
      const y = convOfResized(maps, weight.value());
      return this.activated(bias === undefined ? y : biasAdd(y, bias.value()), pass);
    });
  }

  private activated(y: tf.Tensor4D, pass: ForwardPass): tf.Tensor4D {
    return tf.relu(this.bn?.forward(y, pass) ?? this.gn?.forward(y) ?? y);
  }
}
