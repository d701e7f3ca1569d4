/** Depthwise convolution and its two gradients on the WebAssembly engine. */
import * as tf from '@tensorflow/tfjs-core';
import { depthwise } from '../vector-kernels';
import type { ConvAttrs } from './conv-geometry';
import { convAxes, explicitPad } from './conv-geometry';
import { convInputGradient } from './conv-input-gradient';
import { rowPatches, sumOverRowBlocks } from './row-patches';
import type { WasmKernel } from './wasm-tensor';
import { placeOf, runKernel, typed } from './wasm-tensor';

/** One filter for each channel by our own loops over vectors of channels; of several, by the package's. */
export const depthwiseConv2d: WasmKernel = {
  name: tf.DepthwiseConv2dNative,
  create: (builtIn) => (call) => {
    const { inputs, attrs, backend } = typed<'x' | 'filter', tf.DepthwiseConv2dNativeAttrs>(call);
    const { x, filter } = inputs;
    const [, , channels, multiplier] = filter.shape as [number, number, number, number];
    const axes = convAxes(x.shape, filter.shape, attrs as ConvAttrs);
    if (multiplier !== 1) return builtIn({ ...call, attrs: { ...call.attrs, pad: explicitPad(axes) } });
    const [batch] = x.shape as [number];
    const y = backend.makeOutput([batch, axes[0].out, axes[1].out, channels], 'float32');
    const places = { x: placeOf(backend, x), filter: placeOf(backend, filter), y: placeOf(backend, y) };
    depthwise(places, batch, channels, axes);
    return y;
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
