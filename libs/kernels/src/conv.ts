/** Dense and depthwise convolutions with PyTorch's padding, and fast gradients of the depthwise ones. */
import * as tf from '@tensorflow/tfjs-core';
import { ownConv3x3, ownDepthwise } from '#own-operations';
import { biasAdd } from './bias-add';
import { nativeOps } from '#native-ops';

/** Zero rows and columns around the image: one number for all four sides, or `[[top, bottom], [left, right]]`. */
export type Padding = number | readonly [readonly [number, number], readonly [number, number]];

/** Where the filter is applied. */
export interface ConvOptions {
  readonly stride: number;
  readonly padding: Padding;
  /** Distance between filter taps; default 1. */
  readonly dilation?: number;
}

/**
 * Two-dimensional cross-correlation with explicit zero padding, as PyTorch's `conv2d` without bias.
 * @param x float32 [N, H, W, I].
 * @param filter float32 [kh, kw, I, O].
 * @returns float32 [N, floor((H + top + bottom - dilation * (kh - 1) - 1) / stride) + 1, ..., O].
 */
export function conv2d(x: tf.Tensor4D, filter: tf.Tensor4D, options: ConvOptions): tf.Tensor4D {
  return tf.tidy(() => {
    const { stride, padding, dilation = 1 } = options;
    const own = stride === 1 && padding === 1 && dilation === 1 ? ownConv3x3(x, filter) : null;
    if (own !== null) return own;
    const taps = dilate(filter, dilation);
    const { input, pad } = applyPadding(x, taps, options);
    return tf.conv2d(input, taps, stride, pad);
  });
}

/**
 * Convolves each channel with its own filter, as PyTorch's `conv2d` with `groups = C`.
 * @param x float32 [N, H, W, C].
 * @param filter float32 [kh, kw, C] or [kh, kw, C, 1].
 * @param bias float32 [C]; none unless given.
 * @returns float32 [N, H', W', C], H' and W' as in `conv2d`.
 */
export function depthwiseConv2d(
  x: tf.Tensor4D,
  filter: tf.Tensor3D | tf.Tensor4D,
  options: ConvOptions,
  bias?: tf.Tensor1D,
): tf.Tensor4D {
  return tf.tidy(() => {
    const [kh, kw, channels] = filter.shape;
    const { stride, padding, dilation = 1 } = options;
    const plain = tf.reshape<tf.Rank.R4>(filter, [kh, kw, channels, 1]);
    const keepsSize = stride === 1 && dilation === 1 && padding === (kh - 1) / 2;
    const own = keepsSize ? ownDepthwise(x, [{ filter: plain, bias: bias ?? tf.zeros([channels]) }]) : null;
    if (own !== null) return own;
    const taps = dilate(plain, dilation);
    const { input, pad } = applyPadding(x, taps, options);
    const y = stride === 1 ? depthwiseStride1(input, taps, pad) : tf.depthwiseConv2d(input, taps, stride, pad);
    return bias === undefined ? y : biasAdd(y, bias);
  });
}

/** From this kernel size on, the library's own filter gradient is slower than the one below. */
const LARGE_KERNEL = 5;

/** Stride 1, where the filter's gradient may be a depthwise convolution itself. */
function depthwiseStride1(x: tf.Tensor4D, filter: tf.Tensor4D, pad: 'same' | 'valid'): tf.Tensor4D {
  if (nativeOps() === null || filter.shape[0] < LARGE_KERNEL) return tf.depthwiseConv2d(x, filter, 1, pad);
  return tf.customGrad((input, taps, save) => {
    (save as tf.GradSaveFunc)([input as tf.Tensor, taps as tf.Tensor]);
    return {
      value: tf.depthwiseConv2d(input as tf.Tensor4D, taps as tf.Tensor4D, 1, pad),
      gradFunc: (dy: tf.Tensor, saved: tf.Tensor[]) => {
        const [z, kernel] = saved as [tf.Tensor4D, tf.Tensor4D];
        const attrs = { strides: 1, pad, dilations: 1, inputShape: z.shape };
        const dx = tf.engine().runKernel(tf.DepthwiseConv2dNativeBackpropInput, { dy, filter: kernel }, attrs);
        return [dx as tf.Tensor, depthwiseFilterGradient(z, dy as tf.Tensor4D, kernel.shape, pad)];
      },
    };
  })(x, filter) as tf.Tensor4D;
}

/** Each image and channel is a channel of one picture, which is convolved with its output's gradient as the filter. */
function depthwiseFilterGradient(
  x: tf.Tensor4D,
  dy: tf.Tensor4D,
  [kh, kw, channels, multiplier]: [number, number, number, number],
  pad: 'same' | 'valid',
): tf.Tensor4D {
  const [n] = x.shape;
  const padded = pad === 'valid' ? x : tf.pad(x, [[0, 0], around(kh), around(kw), [0, 0]]);
  const flat = (image: tf.Tensor4D, shape: (h: number, w: number) => [number, number, number, number]): tf.Tensor4D =>
    tf.reshape(tf.transpose(image, [1, 2, 0, 3]), shape(image.shape[1], image.shape[2]));
  const picture = flat(padded, (h, w) => [1, h, w, n * channels]);
  const filters = flat(dy, (h, w) => [h, w, n * channels, 1]);
  const products = tf.depthwiseConv2d(picture, filters, 1, 'valid');
  return tf.reshape(tf.sum(tf.reshape(products, [kh, kw, n, channels]), 2), [kh, kw, channels, multiplier]);
}

/** `same` padding of stride 1. */
function around(kernel: number): [number, number] {
  return [Math.floor((kernel - 1) / 2), Math.ceil((kernel - 1) / 2)];
}

/** Puts `dilation - 1` zeros between neighbouring taps, since no engine differentiates dilated convolutions. */
function dilate(filter: tf.Tensor4D, dilation: number): tf.Tensor4D {
  if (dilation === 1) return filter;
  const [kh, kw, i, o] = filter.shape;
  const spread = tf.pad(tf.reshape(filter, [kh, 1, kw, 1, i * o]), [
    [0, 0],
    [0, dilation - 1],
    [0, 0],
    [0, dilation - 1],
    [0, 0],
  ]);
  const size: [number, number] = [dilation * (kh - 1) + 1, dilation * (kw - 1) + 1];
  const grid = tf.reshape<tf.Rank.R4>(spread, [kh * dilation, kw * dilation, i, o]);
  return tf.slice(grid, [0, 0, 0, 0], [...size, i, o]);
}

/** Pads the image, unless the engine's own `same` or `valid` padding is the one asked for. */
function applyPadding(
  x: tf.Tensor4D,
  filter: tf.Tensor4D,
  { stride, padding }: ConvOptions,
): { input: tf.Tensor4D; pad: 'same' | 'valid' } {
  const [rows, columns] =
    typeof padding === 'number'
      ? ([
          [padding, padding],
          [padding, padding],
        ] as const)
      : padding;
  if ([...rows, ...columns].every((side) => side === 0)) return { input: x, pad: 'valid' };
  const isSame = [rows, columns].every((sides, axis) => {
    const [before, after] = samePadding(x.shape[axis + 1] as number, filter.shape[axis] as number, stride);
    return sides[0] === before && sides[1] === after;
  });
  if (isSame) return { input: x, pad: 'same' };
  return { input: tf.pad(x, [[0, 0], [...rows], [...columns], [0, 0]]), pad: 'valid' };
}

/** TensorFlow's `same` padding before and after one axis. */
function samePadding(size: number, kernel: number, stride: number): [number, number] {
  const total = Math.max((Math.ceil(size / stride) - 1) * stride + kernel - size, 0);
  return [Math.floor(total / 2), Math.ceil(total / 2)];
}
