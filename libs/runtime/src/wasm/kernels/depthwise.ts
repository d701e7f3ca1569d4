import * as tf from '@tensorflow/tfjs-core';
import type { ConvAttrs, ExplicitPad } from './conv-geometry';
import { convAxes, explicitPad } from './conv-geometry';
import { convInputGradient } from './conv-input-gradient';
import { rowBlocks, rowPatches } from './row-patches';
import type { WasmKernel } from './wasm-tensor';
import { typed } from './wasm-tensor';

/** The engine has fast code for up to so many taps; larger filters are cut into bands of rows. */
const FAST_TAPS = 25;

/** The package's own depthwise convolution with explicit padding, as in `conv2d`, and large filters in bands. */
export const depthwiseConv2d: WasmKernel = {
  name: tf.DepthwiseConv2dNative,
  create: (builtIn) => (call) => {
    const { inputs, attrs } = typed<'x' | 'filter', tf.DepthwiseConv2dNativeAttrs>(call);
    const x = inputs.x as tf.Tensor4D;
    const filter = inputs.filter as tf.Tensor4D;
    const axes = convAxes(x.shape, filter.shape, attrs as ConvAttrs);
    const [h] = axes;
    const kw = filter.shape[1];
    const run = (input: tf.Tensor4D, taps: tf.Tensor4D, pad: ExplicitPad | 'valid'): tf.TensorInfo =>
      builtIn({
        ...call,
        inputs: { x: input, filter: taps },
        attrs: { ...attrs, pad } as unknown as tf.NamedAttrMap,
      }) as tf.TensorInfo;
    const bandRows = Math.floor(FAST_TAPS / kw);
    if (h.taps * kw <= FAST_TAPS || bandRows < 1) {
      return run(x, filter, explicitPad(axes));
    }
    return tf.tidy(() => {
      const [kh, , channels, multiplier] = filter.shape;
      const padded = tf.pad(x, explicitPad(axes));
      const [n, , width] = padded.shape;
      const span = (h.out - 1) * h.stride + 1;
      let sum: tf.Tensor | undefined;
      for (let first = 0; first < kh; first += bandRows) {
        const count = Math.min(bandRows, kh - first);
        sum = tf.tidy(() => {
          const rows = span + h.dilation * (count - 1);
          const band = tf.slice(padded, [0, first * h.dilation, 0, 0], [n, rows, width, channels]);
          const taps = tf.slice(filter, [first, 0, 0, 0], [count, kw, channels, multiplier]);
          const part = tf.engine().makeTensorFromTensorInfo(run(band, taps, 'valid'));
          return sum ? tf.add(sum, part) : part;
        });
      }
      return sum!;
    });
  },
};

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
        tf.depthwiseConv2d(x, taps, 1, pad as unknown as 'same'),
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
      let sum: tf.Tensor = tf.zeros([kh, kw, channels, multiplier]);
      for (const block of rowBlocks(rows, w.out * kw * channels * multiplier)) {
        sum = tf.tidy(() => {
          const cut = tf.slice(dy, [block.from, 0], [block.to - block.from, w.out * channels * multiplier]);
          const dyBlock = tf.reshape(cut, [-1, 1, channels, multiplier]);
          const perTapRow = Array.from({ length: kh }, (_, tapRow) =>
            tf.tidy(() => {
              const patches = rowPatches(backend, inputs.x, axes, tapRow, block);
              return tf.sum(tf.mul(tf.reshape(patches, [-1, kw, channels, 1]), dyBlock), 0);
            }),
          );
          const added = tf.add(sum, tf.stack(perTapRow));
          sum.dispose();
          return added;
        });
      }
      return sum;
    });
  },
};
