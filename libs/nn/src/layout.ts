/** The order of a tensor's elements here and in PyTorch. */
import type { TypedArray } from '@tensorflow/tfjs-core';

/**
 * How a PyTorch tensor lies here: the axes of ours, named by their place in the PyTorch tensor.
 * Files hold PyTorch's order; memory holds ours.
 */
const AXES = {
  /** Biases, norm scales, tokens: the same in both. */
  plain: null,
  /** [out, in] -> [in, out] */
  linear: [1, 0],
  /** [out, in, width] -> [width, in, out] */
  conv1d: [2, 1, 0],
  /** [out, in, height, width] -> [height, width, in, out] */
  conv: [2, 3, 1, 0],
  /** [channels, 1, height, width] -> [height, width, channels, 1] */
  depthwise: [2, 3, 0, 1],
  /** [in, out, height, width] -> [height, width, out, in] */
  convTranspose: [2, 3, 1, 0],
  /** [groups * out, in, 1, 1] -> [groups, out, in], the same order: a convolution of size 1 in groups */
  grouped: null,
} as const satisfies Record<string, readonly number[] | null>;

/** The order of a tensor's axes here, by the kind of layer that it belongs to. */
export type Layout = keyof typeof AXES;

/** The shape that the PyTorch state_dict gives a tensor of ours. */
export function toTorchShape(shape: readonly number[], layout: Layout): number[] {
  const axes = AXES[layout];
  if (layout === 'grouped') {
    const [groups = 1, out = 1, inputs = 1] = shape;
    return [groups * out, inputs, 1, 1];
  }
  if (axes === null) return [...shape];
  const torchShape = new Array<number>(shape.length);
  axes.forEach((torchAxis, axis) => (torchShape[torchAxis] = shape[axis]!));
  return torchShape;
}

/** Values in PyTorch's order -> values in ours. `torchShape` is the shape on the PyTorch side. */
export function fromTorchOrder<T extends TypedArray>(values: T, torchShape: readonly number[], layout: Layout): T {
  const axes = AXES[layout];
  return axes === null ? values : permute(values, torchShape, axes);
}

/** Values in our order -> values in PyTorch's. `shape` is the shape on our side. */
export function toTorchOrder<T extends TypedArray>(values: T, shape: readonly number[], layout: Layout): T {
  const axes = AXES[layout];
  if (axes === null) return values;
  const inverse = axes.map((_, torchAxis) => (axes as readonly number[]).indexOf(torchAxis));
  return permute(values, shape, inverse);
}

/** A transposed copy: axis `i` of the result is axis `axes[i]` of the source. */
function permute<T extends TypedArray>(values: T, shape: readonly number[], axes: readonly number[]): T {
  const strides = shape.map((_, axis) => shape.slice(axis + 1).reduce((product, size) => product * size, 1));
  const sizes = axes.map((axis) => shape[axis]!);
  const steps = axes.map((axis) => strides[axis]!);
  const result = new (values.constructor as new (length: number) => T)(values.length);
  const last = sizes.length - 1;
  let written = 0;
  const copy = (axis: number, offset: number): void => {
    const size = sizes[axis]!;
    const step = steps[axis]!;
    if (axis === last) for (let i = 0; i < size; i++) result[written++] = values[offset + i * step]!;
    else for (let i = 0; i < size; i++) copy(axis + 1, offset + i * step);
  };
  copy(0, 0);
  return result;
}
