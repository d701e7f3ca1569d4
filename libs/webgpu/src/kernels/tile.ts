/** Repetition of a tensor along its axes on the WebGPU engine. */
import * as tf from '@tensorflow/tfjs-core';
import { typed, type WebGpuKernel } from './webgpu-kernel';

/** Ranks that the package's own kernel repeats on the device; it reads others back, which cannot be done here. */
const LARGEST_RANK = 4;

/** Repeats axis by axis, each as the middle one of three. */
export const tile: WebGpuKernel = {
  name: tf.Tile,
  create: (builtIn) => (call) => {
    const { inputs, attrs } = typed<'x', tf.TileAttrs>(call);
    if (inputs.x.shape.length <= LARGEST_RANK) return builtIn(call);
    return tf.tidy(() =>
      attrs.reps.reduce((x, times, axis) => repeat(x, axis, times), tf.clone(inputs.x as tf.Tensor)),
    );
  },
};

function repeat(x: tf.Tensor, axis: number, times: number): tf.Tensor {
  if (times === 1) return x;
  const before = tf.util.sizeFromShape(x.shape.slice(0, axis));
  const rows = tf.reshape(x, [before, 1, x.size / before]);
  return tf.reshape(
    tf.tile(rows, [1, times, 1]),
    x.shape.map((length, i) => (i === axis ? length * times : length)),
  );
}
