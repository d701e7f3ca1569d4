/** Sums and means on the WebAssembly engine, exact over long axes and fast over leading ones. */
import * as tf from '@tensorflow/tfjs-core';
import type { WasmKernel } from './wasm-tensor';
import { filled, runKernel, typed } from './wasm-tensor';

/** Longer chains of additions lose digits: three million times 0.1 came out three percent short. */
const LONG_CHAIN = 256;

interface ReductionAttrs {
  readonly axis?: number | number[];
  readonly keepDims: boolean;
}

/** A tensor seen as [outer, count, inner], of which the middle is reduced. */
interface Block {
  readonly outer: number;
  readonly count: number;
  readonly inner: number;
}

/** [N, C] to [N]. */
type SumRows = (x: tf.Tensor) => tf.Tensor;

/**
 * Over leading or middle axes the package transposes first; average pooling down the columns is twenty times faster.
 * And where the package adds number after number, here groups are added first, then their sums.
 */
export const sum: WasmKernel = {
  name: tf.Sum,
  create: (builtIn) => (call) => {
    const { inputs, attrs, backend } = typed<'x', ReductionAttrs>(call);
    const { x } = inputs;
    const axes = tf.util.parseAxisParam(attrs.axis!, x.shape);
    const shape = reducedShape(x.shape, axes, attrs.keepDims);
    if (tf.util.sizeFromShape(x.shape) === 0) return filled(backend, shape, (values) => values.fill(0), x.dtype);
    if (x.dtype !== 'float32') return builtIn(call);
    const sumRows: SumRows = (rows) => {
      const result = builtIn({ backend, inputs: { x: rows }, attrs: { axis: [1], keepDims: false } });
      return tf.engine().makeTensorFromTensorInfo(result as tf.TensorInfo);
    };
    return tf.tidy(() => {
      let total = x as tf.Tensor;
      for (const block of blocks(x.shape, axes)) total = addUp(total, block, sumRows);
      return tf.reshape(total, shape);
    });
  },
};

export const mean: WasmKernel = {
  name: tf.Mean,
  create: (builtIn) => (call) => {
    const { inputs, attrs } = typed<'x', ReductionAttrs>(call);
    if (inputs.x.dtype !== 'float32') return builtIn(call);
    return tf.tidy(() => {
      const total = tf.sum(inputs.x as tf.Tensor, attrs.axis, attrs.keepDims);
      return tf.mul(total, total.size / tf.util.sizeFromShape(inputs.x.shape));
    });
  },
};

function reducedShape(shape: readonly number[], axes: readonly number[], keepDims: boolean): number[] {
  if (keepDims) return shape.map((size, axis) => (axes.includes(axis) ? 1 : size));
  return shape.filter((_, axis) => !axes.includes(axis));
}

/** Runs of neighbouring axes, last run first, each as a block of the tensor that is left by then. */
function blocks(shape: readonly number[], axes: readonly number[]): Block[] {
  const left = [...shape];
  const found: Block[] = [];
  for (let last = shape.length - 1; last >= 0; last--) {
    if (!axes.includes(last)) continue;
    let first = last;
    while (axes.includes(first - 1)) first--;
    const size = (from: number, to: number) => tf.util.sizeFromShape(left.slice(from, to));
    found.push({ outer: size(0, first), count: size(first, last + 1), inner: size(last + 1, left.length) });
    left.fill(1, first, last + 1);
    last = first;
  }
  return found;
}

/** Reduces [outer, count, inner], in any shape, to [outer, inner]. */
function addUp(x: tf.Tensor, { outer, count, inner }: Block, sumRows: SumRows): tf.Tensor {
  if (count <= LONG_CHAIN) return addColumns(x, { outer, count, inner }, sumRows);
  const length = chainLength(count);
  const groups = Math.ceil(count / length);
  const missing = groups * length - count;
  const columns = tf.reshape<tf.Rank.R3>(x, [outer, count, inner]);
  const whole =
    missing === 0
      ? x
      : tf.pad(columns, [
          [0, 0],
          [0, missing],
          [0, 0],
        ]);
  const partial = addColumns(whole, { outer: outer * groups, count: length, inner }, sumRows);
  return addUp(partial, { outer, count: groups, inner }, sumRows);
}

function addColumns(x: tf.Tensor, { outer, count, inner }: Block, sumRows: SumRows): tf.Tensor {
  if (count === 1) return x;
  if (inner === 1) return sumRows(tf.reshape(x, [outer, count]));
  const columns = tf.reshape(x, [outer, count, 1, inner]);
  const means = runKernel(tf.AvgPool, { x: columns }, { filterSize: [count, 1], strides: 1, pad: 'valid' });
  return tf.mul(means, count);
}

/** A divisor of `count`, if one is near the longest chain. */
function chainLength(count: number): number {
  for (let length = LONG_CHAIN; length > LONG_CHAIN / 4; length--) if (count % length === 0) return length;
  return LONG_CHAIN;
}
