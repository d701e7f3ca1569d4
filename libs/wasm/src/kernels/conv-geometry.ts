/** Sizes and padding of a convolution, axis by axis. */
import type * as tf from '@tensorflow/tfjs-core';

/** The attributes that the convolution kernels share. */
export interface ConvAttrs {
  readonly strides: number | [number, number];
  readonly pad: 'same' | 'valid' | number | tf.backend_util.ExplicitPadding;
  readonly dilations?: number | [number, number];
  readonly dataFormat?: string;
}

/** One spatial axis of a convolution: `size` inputs, padded on both sides, give `out` outputs. */
export interface ConvAxis {
  readonly size: number;
  readonly taps: number;
  readonly stride: number;
  readonly dilation: number;
  readonly before: number;
  readonly after: number;
  readonly out: number;
}

export type ExplicitPad = [[0, 0], [number, number], [number, number], [0, 0]];

/**
 * Height and width of a convolution. TensorFlow.js's own arithmetic is wrong where padding is a number and filter or
 * stride are not square: the engine then writes outside of its tensors, as it does for a filter that does not fit.
 * @param input [N, H, W, C]
 * @param filter [kh, kw, ...]
 * @throws if the filter does not fit the padded input.
 */
export function convAxes(input: readonly number[], filter: readonly number[], attrs: ConvAttrs): [ConvAxis, ConvAxis] {
  if (attrs.dataFormat === 'NCHW') throw new Error('wasm: convolutions expect NHWC, received NCHW');
  const [, height = 0, width = 0] = input;
  const [kernelH = 0, kernelW = 0] = filter;
  const [strideH, strideW] = pair(attrs.strides);
  const [dilationH, dilationW] = pair(attrs.dilations ?? 1);
  return [
    convAxis(height, kernelH, strideH, dilationH, sides(attrs.pad, 1)),
    convAxis(width, kernelW, strideW, dilationW, sides(attrs.pad, 2)),
  ];
}

export function explicitPad([h, w]: readonly [ConvAxis, ConvAxis]): ExplicitPad {
  return [
    [0, 0],
    [h.before, h.after],
    [w.before, w.after],
    [0, 0],
  ];
}

function convAxis(
  size: number,
  taps: number,
  stride: number,
  dilation: number,
  pad: 'same' | readonly [number, number],
): ConvAxis {
  const reach = dilation * (taps - 1) + 1;
  if (pad === 'same') {
    const out = Math.ceil(size / stride);
    const total = Math.max(0, (out - 1) * stride + reach - size);
    const before = Math.floor(total / 2);
    return { size, taps, stride, dilation, before, after: total - before, out };
  }
  const [before, after] = pad;
  const out = Math.floor((size + before + after - reach) / stride) + 1;
  if (out < 1) {
    throw new Error(`wasm: a filter that reaches over ${reach} pixels does not fit ${size} + ${before} + ${after}`);
  }
  return { size, taps, stride, dilation, before, after, out };
}

function sides(pad: ConvAttrs['pad'], axis: 1 | 2): 'same' | readonly [number, number] {
  if (pad === 'same') return pad;
  if (pad === 'valid') return [0, 0];
  return typeof pad === 'number' ? [pad, pad] : pad[axis];
}

const pair = (value: number | [number, number]): [number, number] => (Array.isArray(value) ? value : [value, value]);
