/** Convolution and its two gradients on the WebAssembly engine. */
import * as tf from '@tensorflow/tfjs-core';
import type { ConvAttrs } from './conv-geometry';
import { convAxes, explicitPad } from './conv-geometry';
import { convInputGradient } from './conv-input-gradient';
import { rowPatches, sumOverRowBlocks } from './row-patches';
import type { WasmKernel } from './wasm-tensor';
import { typed } from './wasm-tensor';

/** The package's own convolution, always with explicit padding: see `convAxes`; its `same` fails for 1 tap, stride 3. */
export const conv2d: WasmKernel = {
  name: tf.Conv2D,
  create: (builtIn) => (call) => {
    const { inputs, attrs } = typed<'x' | 'filter', ConvAttrs>(call);
    const pad = explicitPad(convAxes(inputs.x.shape, inputs.filter.shape, attrs));
    return builtIn({ ...call, attrs: { ...call.attrs, pad } });
  },
};

/** [kh, kw, I, O] filter and `dy` [N, H', W', O] to the gradient [N, H, W, I]. */
export const conv2dInputGradient: WasmKernel = {
  name: tf.Conv2DBackpropInput,
  create: () => (call) => {
    const { inputs, attrs } = typed<'dy' | 'filter', tf.Conv2DBackpropInputAttrs>(call);
    return tf.tidy(() => {
      const filter = inputs.filter as tf.Tensor4D;
      const axes = convAxes(attrs.inputShape, filter.shape, attrs as ConvAttrs);
      const swapped = tf.transpose(filter, [0, 1, 3, 2]);
      return convInputGradient(inputs.dy as tf.Tensor4D, swapped, axes, filter.shape[2], (x, taps, pad) =>
        tf.conv2d(x, taps, 1, pad),
      );
    });
  },
};

/**
 * Gradient [kh, kw, I, O] of the filter: for each row of taps, transposed `dy` times the patches that the row sees.
 * A block of output rows at a time keeps the patches small.
 */
export const conv2dFilterGradient: WasmKernel = {
  name: tf.Conv2DBackpropFilter,
  create: () => (call) => {
    const { inputs, attrs, backend } = typed<'x' | 'dy', tf.Conv2DBackpropFilterAttrs>(call);
    return tf.tidy(() => {
      const [kh, kw, channels, outputs] = attrs.filterShape;
      const axes = convAxes(inputs.x.shape, attrs.filterShape, attrs as ConvAttrs);
      const [h, w] = axes;
      const rows = inputs.x.shape[0]! * h.out;
      const dy = tf.reshape(inputs.dy as tf.Tensor, [rows, w.out * outputs]);
      const zeros: tf.Tensor = tf.zeros([kh, outputs, kw * channels]);
      const sum = sumOverRowBlocks(rows, w.out * kw * channels, zeros, (block) => {
        const cut = tf.slice(dy, [block.from, 0], [block.to - block.from, w.out * outputs]);
        const dyT = tf.transpose(tf.reshape<tf.Rank.R2>(cut, [-1, outputs]));
        const perTapRow = Array.from({ length: kh }, (_, tapRow) =>
          tf.tidy(() => tf.matMul(dyT, rowPatches(backend, inputs.x, axes, tapRow, block))),
        );
        return tf.stack(perTapRow);
      });
      return tf.transpose(tf.reshape(sum, [kh, outputs, kw, channels]), [0, 2, 3, 1]);
    });
  },
};
