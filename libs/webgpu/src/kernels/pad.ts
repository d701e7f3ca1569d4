/** Padding on the WebGPU engine. */
import * as tf from '@tensorflow/tfjs-core';
import { typed, type WebGpuKernel } from './webgpu-kernel';

/** Ranks that the package's own kernel pads; of others the device refuses it. */
const LARGEST_RANK = 4;

/** Pads axis by axis, each as the middle one of three. */
export const pad: WebGpuKernel = {
  name: tf.PadV2,
  create: (builtIn) => (call) => {
    const { inputs, attrs } = typed<'x', tf.PadV2Attrs>(call);
    if (inputs.x.shape.length <= LARGEST_RANK) return builtIn(call);
    return tf.tidy(() =>
      attrs.paddings.reduce(
        (x, sides, axis) => padAxis(x, axis, sides, attrs.constantValue),
        tf.clone(inputs.x as tf.Tensor),
      ),
    );
  },
};

function padAxis(x: tf.Tensor, axis: number, [before, after]: [number, number], value: number): tf.Tensor {
  if (before + after === 0) return x;
  const outer = tf.util.sizeFromShape(x.shape.slice(0, axis));
  const length = x.shape[axis]!;
  const inner = tf.util.sizeFromShape(x.shape.slice(axis + 1));
  const sides: [number, number][] = [[0, 0], [before, after], [0, 0]]; // prettier-ignore
  const padded = tf.pad(tf.reshape(x, [outer, length, inner]), sides, value);
  return tf.reshape(
    padded,
    x.shape.map((size, i) => (i === axis ? size + before + after : size)),
  );
}
