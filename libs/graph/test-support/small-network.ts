/** A network of every kind of layer that compiles in a moment, for specs and benchmarks. */
import { conv2d, depthwiseConv2d, gelu, layerNorm } from '@pyramidal/kernels';
import * as tf from '@tensorflow/tfjs-core';
import { wavesTensor } from '@pyramidal/testing';

/** Weights of a convolution to eight channels, a depthwise one, and two vectors; the caller disposes them. */
export function smallWeights() {
  const variable = <R extends tf.Rank>(shape: tf.ShapeMap[R], phase: number): tf.Tensor<R> =>
    tf.variable(wavesTensor<R>(shape, phase));
  return {
    dense: variable<tf.Rank.R4>([3, 3, 3, 8], 0),
    separate: variable<tf.Rank.R4>([5, 5, 8, 1], 1),
    scale: variable<tf.Rank.R1>([8], 2),
    offset: variable<tf.Rank.R1>([8], 3),
  };
}

type SmallWeights = ReturnType<typeof smallWeights>;

/** Convolution with stride 2. @returns float32 [N, H / 2, W / 2, 8]. */
export function smallStem(images: tf.Tensor4D, { dense }: SmallWeights): tf.Tensor4D {
  return conv2d(images, dense, { stride: 2, padding: 1 });
}

/** Depthwise convolution, layer norm, GELU: float32 [N, H, W, 8] -> the same. */
export function smallBlock(x: tf.Tensor4D, { separate, scale, offset }: SmallWeights): tf.Tensor4D {
  return gelu(layerNorm(depthwiseConv2d(x, separate, { stride: 1, padding: 2 }), scale, offset, 1e-5));
}
