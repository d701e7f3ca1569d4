/** Dense and depthwise convolutions as layers, with PyTorch's padding. */
import * as tf from '@tensorflow/tfjs-core';
import { biasAdd, conv2d, depthwiseConv2d, depthwiseGroups } from '@pyramidal/kernels';
import { fanInUniform, zeros, type Initializer } from './initializers';
import { Module } from './module';
import { Parameter } from './parameter';

/** The settings of a convolution. */
export interface ConvOptions {
  /** Default 1. */
  readonly stride?: number;
  /** Cells of zeros on every side; default: what keeps the size at stride 1. */
  readonly padding?: number;
  /** Cells between neighbouring taps of the filter; default 1. */
  readonly dilation?: number;
  /** Default true. */
  readonly bias?: boolean;
  /** Initial values of the filter; default PyTorch's. */
  readonly init?: Initializer;
  /** Initial values of the bias; default zeros. */
  readonly biasInit?: Initializer;
}

interface Geometry {
  readonly stride: number;
  readonly padding: number;
  readonly dilation: number;
}

/** A dense convolution with square kernel, PyTorch's padding rule (the same on every side). */
export class Conv2d extends Module {
  readonly weight: Parameter;
  readonly bias: Parameter | undefined;
  private readonly geometry: Geometry;

  constructor(
    readonly inChannels: number,
    readonly outChannels: number,
    readonly kernel: number,
    { bias = true, init = fanInUniform, biasInit = zeros, ...geometry }: ConvOptions = {},
  ) {
    super();
    this.weight = new Parameter({ shape: [kernel, kernel, inChannels, outChannels], layout: 'conv', init });
    this.bias = bias ? new Parameter({ shape: [outChannels], init: biasInit }) : undefined;
    this.geometry = resolveGeometry(kernel, geometry);
  }

  /** @param x float32 [N, H, W, inChannels]. @returns float32 [N, H', W', outChannels]. */
  forward(x: tf.Tensor4D): tf.Tensor4D {
    return tf.tidy(() => {
      const y = conv2d(x, this.weight.value(), this.geometry);
      return this.bias === undefined ? y : biasAdd(y, this.bias.value());
    });
  }
}

/** The settings of a depthwise convolution. */
interface DepthwiseConvOptions extends ConvOptions {
  /** Adds the input to the output; needs an odd kernel that keeps the size. */
  readonly residual?: boolean;
}

/** A depthwise convolution: one filter per channel. */
export class DepthwiseConv2d extends Module {
  readonly weight: Parameter;
  readonly bias: Parameter | undefined;
  private readonly geometry: Geometry;
  private readonly residual: boolean;

  constructor(
    readonly channels: number,
    readonly kernel: number,
    { bias = true, residual = false, init = fanInUniform, biasInit = zeros, ...geometry }: DepthwiseConvOptions = {},
  ) {
    super();
    this.weight = new Parameter({ shape: [kernel, kernel, channels, 1], layout: 'depthwise', init });
    this.bias = bias ? new Parameter({ shape: [channels], init: biasInit }) : undefined;
    this.geometry = resolveGeometry(kernel, geometry);
    this.residual = residual;
  }

  /**
   * @param x float32 [N, H, W, r * channels]: r maps side by side, which share the filters.
   * @returns float32 [N, H', W', r * channels].
   */
  forward(x: tf.Tensor4D): tf.Tensor4D {
    return tf.tidy(() => {
      const repeats = x.shape[3] / this.channels;
      const filter = this.filter();
      const bias = this.bias?.value<tf.Rank.R1>();
      if (repeats === 1) return depthwiseConv2d(x, filter, this.geometry, bias);
      return depthwiseConv2d(x, tf.tile(filter, [1, 1, repeats, 1]), this.geometry, bias && tf.tile(bias, [repeats]));
    });
  }

  /**
   * What each convolution gives for channels of its own, side by side; they keep the size, at stride 1.
   * @param x float32 [N, H, W, I]. @param first of its channels for the first convolution.
   * @returns float32 [N, H, W, channels of all].
   */
  static sideBySide(convs: readonly DepthwiseConv2d[], x: tf.Tensor4D, first = 0): tf.Tensor4D {
    return tf.tidy(() => {
      const groups = convs.map((conv) => ({
        filter: conv.filter(),
        bias: conv.bias?.value<tf.Rank.R1>() ?? tf.zeros<tf.Rank.R1>([conv.channels]),
      }));
      return depthwiseGroups(x, groups, first);
    });
  }

  private filter(): tf.Tensor4D {
    const weight = this.weight.value<tf.Rank.R4>();
    return this.residual ? tf.add(weight, centreTap(this.kernel)) : weight;
  }
}

/** What a filter needs more to pass its input on as well: [kernel, kernel, 1, 1]. */
function centreTap(kernel: number): tf.Tensor4D {
  const taps = new Float32Array(kernel * kernel);
  taps[(taps.length - 1) / 2] = 1;
  return tf.tensor4d(taps, [kernel, kernel, 1, 1]);
}

function resolveGeometry(kernel: number, { stride = 1, padding, dilation = 1 }: ConvOptions): Geometry {
  return { stride, padding: padding ?? Math.floor((dilation * (kernel - 1)) / 2), dilation };
}
