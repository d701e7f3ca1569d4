/** Reductions on the WebGPU engine. */
import * as tf from '@tensorflow/tfjs-core';
import { typed, type WebGpuKernel } from './webgpu-kernel';

interface ReductionAttrs {
  readonly axis?: number | number[];
  /** What `Max` calls its axes. */
  readonly reductionIndices?: number | number[];
  readonly keepDims: boolean;
}

/** With what each begins: its result over nothing. */
const NEUTRAL: Readonly<Record<string, number>> = {
  [tf.Sum]: 0,
  [tf.Prod]: 1,
  [tf.Any]: 0,
  [tf.All]: 1,
  [tf.Max]: -Infinity,
  [tf.Min]: Infinity,
};

/**
 * The package's own kernels fail over nothing, and over other than the last axes of integers and flags, which they cannot
 * transpose.
 */
export const reductions: readonly WebGpuKernel[] = Object.entries(NEUTRAL).map(([name, neutral]) => ({
  name,
  create: (builtIn) => (call) => {
    const { inputs, attrs } = typed<'x', ReductionAttrs>(call);
    const x = inputs.x as tf.Tensor;
    const rank = x.shape.length;
    const axes = tf.util.parseAxisParam((attrs.axis ?? attrs.reductionIndices)!, x.shape);
    const kept = x.shape.map((length, axis) => (axes.includes(axis) ? 1 : length));
    const shape = attrs.keepDims ? kept : kept.filter((_, axis) => !axes.includes(axis));
    if (x.size === 0) return tf.fill(shape, neutral, x.dtype as 'float32');
    const perm = tf.backend_util.getAxesPermutation(axes, rank);
    if (perm === undefined || perm === null || x.dtype === 'float32' || rank === 2) return builtIn(call);
    return tf.tidy(() => {
      const last = tf.backend_util.getInnerMostAxes(axes.length, rank);
      const lastAxes = { axis: last, reductionIndices: last, keepDims: false };
      const rows = { x: tf.transpose(x, perm) };
      return tf.reshape(tf.engine().runKernel(name, rows, lastAxes) as tf.Tensor, shape);
    });
  },
}));

/** Of integers likewise. */
export const indicesOfExtremes: readonly WebGpuKernel[] = [tf.ArgMax, tf.ArgMin].map((name) => ({
  name,
  create: (builtIn) => (call) => {
    const { inputs, attrs } = typed<'x', { axis: number }>(call);
    const x = inputs.x as tf.Tensor;
    const rank = x.shape.length;
    const perm = tf.backend_util.getAxesPermutation(tf.util.parseAxisParam(attrs.axis, x.shape), rank);
    if (perm === undefined || perm === null || x.dtype === 'float32' || rank === 2) return builtIn(call);
    return tf.tidy(() => {
      const rows = { x: tf.transpose(x, perm) };
      return tf.engine().runKernel(name, rows, { axis: rank - 1 }) as tf.Tensor;
    });
  },
}));
