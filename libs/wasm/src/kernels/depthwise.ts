/** Depthwise convolution and its two gradients on the WebAssembly engine. */
import * as tf from '@tensorflow/tfjs-core';
import type { ConvAttrs, ConvAxis, ExplicitPad } from './conv-geometry';
import { convAxes, explicitPad } from './conv-geometry';
import { convInputGradient } from './conv-input-gradient';
import { rowPatches, sumOverRowBlocks } from './row-patches';
import type { WasmKernel } from './wasm-tensor';
import { runKernel, typed } from './wasm-tensor';

/** Filters that the engine has fast code for: with these numbers of taps only, others are ten times slower. */
const FAST_TAPS = [3, 4, 9, 25];

/** A row of so many taps is fast. */
const FAST_ROW = 9;

/**
 * The package's own depthwise convolution with explicit padding, as in `conv2d`. Filters of other sizes are filled up
 * with zeros to 3 x 3 or 5 x 5, or convolved row by row, each filled up to nine taps.
 */
export const depthwiseConv2d: WasmKernel = {
  name: tf.DepthwiseConv2dNative,
  create: (builtIn) => (call) => {
    const { inputs, attrs } = typed<'x' | 'filter', tf.DepthwiseConv2dNativeAttrs>(call);
    const x = inputs.x as tf.Tensor4D;
    const filter = inputs.filter as tf.Tensor4D;
    const [kh, kw] = filter.shape;
    const axes = convAxes(x.shape, filter.shape, attrs as ConvAttrs);
    const run = (input: tf.Tensor4D, taps: tf.Tensor4D, pad: ExplicitPad): tf.Tensor4D => {
      const result = builtIn({ ...call, inputs: { x: input, filter: taps }, attrs: { ...call.attrs, pad } });
      return tf.engine().makeTensorFromTensorInfo(result as tf.TensorInfo) as tf.Tensor4D;
    };
    if (FAST_TAPS.includes(kh * kw)) return run(x, filter, explicitPad(axes));
    const square = [3, 5].find((side) => kh <= side && kw <= side);
    return tf.tidy(() => {
      if (square) return run(x, fill(filter, square, square), filledPad(axes, square - kh, square - kw));
      if (kw <= FAST_ROW) return rowByRow(x, filter, axes, run);
      return run(x, filter, explicitPad(axes));
    });
  },
};

type Run = (x: tf.Tensor4D, taps: tf.Tensor4D, pad: ExplicitPad) => tf.Tensor4D;

/** Sum over the rows of the filter, each convolved with the part of the image that it meets. */
function rowByRow(x: tf.Tensor4D, filter: tf.Tensor4D, axes: [ConvAxis, ConvAxis], run: Run): tf.Tensor4D {
  const [kh, kw, channels, multiplier] = filter.shape;
  const [h] = axes;
  const [, , [left, right]] = filledPad(axes, 0, FAST_ROW - kw);
  const padded = tf.pad(x, [
    [0, 0],
    [h.before, h.after],
    [left, right],
    [0, 0],
  ]);
  const [n, , width, c] = padded.shape;
  const rows = (h.out - 1) * h.stride + 1;
  let sum: tf.Tensor4D | undefined;
  for (let row = 0; row < kh; row++) {
    sum = tf.tidy(() => {
      const met = tf.slice(padded, [0, row * h.dilation, 0, 0], [n, rows, width, c]);
      const taps = fill(tf.slice(filter, [row, 0, 0, 0], [1, kw, channels, multiplier]), 1, FAST_ROW);
      const part = run(met, taps, NO_PAD);
      return sum ? tf.add<tf.Tensor4D>(sum, part) : part;
    });
  }
  return sum!;
}

const NO_PAD: ExplicitPad = [[0, 0], [0, 0], [0, 0], [0, 0]]; // prettier-ignore

/** Adds rows and columns of zero taps at the end. */
function fill(filter: tf.Tensor4D, rows: number, columns: number): tf.Tensor4D {
  const [kh, kw] = filter.shape;
  return tf.pad(filter, [
    [0, rows - kh],
    [0, columns - kw],
    [0, 0],
    [0, 0],
  ]);
}

/** Padding that keeps the output's size with so many more taps. */
function filledPad([h, w]: readonly [ConvAxis, ConvAxis], rows: number, columns: number): ExplicitPad {
  const after = (axis: ConvAxis, taps: number) => axis.after + taps * axis.dilation;
  return [
    [0, 0],
    [h.before, after(h, rows)],
    [w.before, after(w, columns)],
    [0, 0],
  ];
}

/** [kh, kw, C, M] filter and `dy` [N, H', W', C * M] to the gradient [N, H, W, C]. */
export const depthwiseInputGradient: WasmKernel = {
  name: tf.DepthwiseConv2dNativeBackpropInput,
  create: () => (call) => {
    const { inputs, attrs } = typed<'dy' | 'filter', tf.DepthwiseConv2dNativeBackpropInputAttrs>(call);
    return tf.tidy(() => {
      const filter = inputs.filter as tf.Tensor4D;
      const [kh, kw, channels, multiplier] = filter.shape;
      const axes = convAxes(attrs.inputShape, filter.shape, attrs as ConvAttrs);
      const flat = tf.reshape<tf.Rank.R4>(filter, [kh, kw, channels * multiplier, 1]);
      const dx = convInputGradient(inputs.dy as tf.Tensor4D, flat, axes, channels * multiplier, (x, taps, pad) =>
        runKernel<tf.Tensor4D>(tf.DepthwiseConv2dNative, { x, filter: taps }, { strides: 1, pad, dilations: 1 }),
      );
      return multiplier === 1 ? dx : tf.sum(tf.reshape(dx, [...attrs.inputShape, multiplier]), 4);
    });
  },
};

/**
 * Gradient [kh, kw, C, M] of the filter: for each row of taps, the patches that the row sees times `dy`, summed over
 * all positions. A block of output rows at a time keeps the products in the processor's cache.
 */
export const depthwiseFilterGradient: WasmKernel = {
  name: tf.DepthwiseConv2dNativeBackpropFilter,
  create: () => (call) => {
    const { inputs, attrs, backend } = typed<'x' | 'dy', tf.DepthwiseConv2dNativeBackpropFilterAttrs>(call);
    return tf.tidy(() => {
      const [kh, kw, channels, multiplier] = attrs.filterShape;
      const axes = convAxes(inputs.x.shape, attrs.filterShape, attrs as ConvAttrs);
      const [h, w] = axes;
      const rows = inputs.x.shape[0]! * h.out;
      const dy = tf.reshape(inputs.dy as tf.Tensor, [rows, w.out * channels * multiplier]);
      const zeros: tf.Tensor = tf.zeros([kh, kw, channels, multiplier]);
      return sumOverRowBlocks(rows, w.out * kw * channels * multiplier, zeros, (block) => {
        const cut = tf.slice(dy, [block.from, 0], [block.to - block.from, w.out * channels * multiplier]);
        const dyBlock = tf.reshape(cut, [-1, 1, channels, multiplier]);
        const perTapRow = Array.from({ length: kh }, (_, tapRow) =>
          tf.tidy(() => {
            const patches = rowPatches(backend, inputs.x, axes, tapRow, block);
            return tf.sum(tf.mul(tf.reshape(patches, [-1, kw, channels, 1]), dyBlock), 0);
          }),
        );
        return tf.stack(perTapRow);
      });
    });
  },
};
