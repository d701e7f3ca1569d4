/** Operations that move, cut, join and fill along axes. */
import { RuntimeError } from '@pyramidal/kernels/engine';
import type { TensorType } from '../../record/graph-def';
import { composeOrders, plainOrder, storedItems, withoutAxes } from '../axis-order';
import { attributeOf, axisOf, integersOf, type Lowering, type Operation, type Rule, type Value } from '../lowering';
import { commonOrder } from './elementwise';

const reshape: Rule = (to, { inputs: [x], outputs: [type] }) => [to.reshaped(x as Value, (type as TensorType).shape)];

const identity: Rule = (_to, { inputs: [x] }) => [x as Value];

/** Owed until somebody needs it. */
const transpose: Rule = (to, operation) => {
  const [x] = operation.inputs as [Value];
  const permutation = integersOf(operation, 1);
  const shape = permutation.map((axis) => x.shape[axis] as number);
  const computed = typeof x.stored === 'string' ? x : { ...x, stored: to.plain(x) };
  return [{ ...computed, shape, order: composeOrders(x.order, permutation) }];
};

const concat: Rule = (to, operation) => {
  const values = operation.inputs.slice(0, -1);
  const [axis] = integersOf(operation, values.length) as [number];
  return [joined(to, values, axis, operation.outputs[0] as TensorType)];
};

function joined(to: Lowering, values: readonly Value[], axis: number, type: TensorType): Value {
  const order = commonOrder(values, type.shape.length);
  const names = values.map((value) => to.inOrder(value, order));
  return to.node('Concat', names, type, { order, attrs: { axis: { int: order[axisOf(axis, type)] as number } } });
}

const pack: Rule = (to, { node, inputs, outputs: [type] }) => {
  const axis = axisOf(attributeOf(node, 'axis', 'int'), type as TensorType);
  const rows = inputs.map((value) => to.reshaped(value, value.shape.toSpliced(axis, 0, 1)));
  return [joined(to, rows, axis, type as TensorType)];
};

function split(to: Lowering, x: Value, axis: number, types: readonly TensorType[]): Value[] {
  const sizes = types.map(({ shape }) => shape[axis] as number);
  const inputs = [to.inOrder(x, x.order), to.graph.integers(sizes)];
  const names = to.graph.add('Split', inputs, { axis: { int: x.order[axis] as number } }, types.length);
  return types.map((type, i) => ({ ...type, stored: names[i] as string, order: x.order }));
}

const splitV: Rule = (to, operation) => {
  const [x] = operation.inputs as [Value];
  const [axis] = integersOf(operation, 2) as [number];
  return split(to, x, axisOf(axis, x), operation.outputs);
};

const evenSplit: Rule = (to, operation) => {
  const [, x] = operation.inputs as [Value, Value];
  const [axis] = integersOf(operation, 0) as [number];
  return split(to, x, axisOf(axis, x), operation.outputs);
};

/** Rows of one item lose their axis. */
const unpack: Rule = (to, { node, inputs: [x], outputs }) => {
  const value = x as Value;
  const axis = axisOf(attributeOf(node, 'axis', 'int'), value);
  const row = { dtype: value.dtype, shape: value.shape.with(axis, 1) };
  const rows =
    outputs.length === 1
      ? [value]
      : split(
          to,
          value,
          axis,
          outputs.map(() => row),
        );
  return rows.map((part) => to.reshaped(part, value.shape.toSpliced(axis, 1)));
};

/** From `starts` on, in steps; both per axis. */
function cut(
  to: Lowering,
  x: Value,
  starts: readonly number[],
  ends: readonly number[],
  steps: readonly number[],
): Value {
  const shape = x.shape.map((_, axis) =>
    Math.max(0, Math.ceil((ends[axis]! - starts[axis]!) / (steps[axis] as number))),
  );
  const axes = x.shape.flatMap((size, axis) =>
    starts[axis] === 0 && ends[axis] === size && steps[axis] === 1 ? [] : [axis],
  );
  if (axes.length === 0) return x;
  const along = (items: readonly number[]): string => to.graph.integers(axes.map((axis) => items[axis] as number));
  const stored = axes.map((axis) => x.order[axis] as number);
  const inputs = [to.inOrder(x, x.order), along(starts), along(ends), to.graph.integers(stored), along(steps)];
  return to.node('Slice', inputs, { shape, dtype: x.dtype }, { order: x.order });
}

const slice: Rule = (to, operation) => {
  const [x] = operation.inputs as [Value];
  const starts = integersOf(operation, 1);
  const sizes = integersOf(operation, 2);
  const ends = starts.map((start, axis) => (sizes[axis] === -1 ? x.shape[axis]! : start + sizes[axis]!));
  return [
    cut(
      to,
      x,
      starts,
      ends,
      starts.map(() => 1),
    ),
  ];
};

/** Bit i of each mask concerns index i. */
const stridedSlice: Rule = (to, operation) => {
  const { node, outputs } = operation;
  const [x] = operation.inputs as [Value];
  const mask = (key: string): number => {
    const value = node.attrs[key];
    return value !== undefined && 'int' in value ? value.int : 0;
  };
  const has = (key: string, axis: number): boolean => (mask(key) & (1 << axis)) !== 0;
  const [starts, ends, steps] = [1, 2, 3].map((at) => integersOf(operation, at)) as [number[], number[], number[]];
  const isPlain = mask('ellipsis_mask') === 0 && mask('new_axis_mask') === 0 && steps.every((step) => step > 0);
  if (!isPlain) throw new RuntimeError(`exportOnnxModel: '${node.name}' slices backwards or adds axes`);
  const within = (value: number, size: number): number => Math.min(Math.max(value < 0 ? value + size : value, 0), size);
  const from = x.shape.map((size, axis) =>
    axis < starts.length && !has('begin_mask', axis) ? within(starts[axis]!, size) : 0,
  );
  const till = x.shape.map((size, axis) => {
    if (has('shrink_axis_mask', axis)) return from[axis]! + 1;
    return axis < ends.length && !has('end_mask', axis) ? within(ends[axis]!, size) : size;
  });
  const rows = cut(
    to,
    x,
    from,
    till,
    x.shape.map((_, axis) => steps[axis] ?? 1),
  );
  return [to.reshaped(rows, (outputs[0] as TensorType).shape)];
};

const reverse: Rule = (to, operation) => {
  const [x] = operation.inputs as [Value];
  const axes = integersOf(operation, 1).map((axis) => x.order[axisOf(axis, x)] as number);
  const all = (value: number): string => to.graph.integers(axes.map(() => value));
  // Backwards from the last item beyond the first.
  const inputs = [to.inOrder(x, x.order), all(-1), all(-(2 ** 31)), to.graph.integers(axes), all(-1)];
  return [to.node('Slice', inputs, x, { order: x.order })];
};

/** Before all axes, then after all axes, as ONNX has it. */
function sidesOf(operation: Operation, x: Value): number[] {
  const sides = integersOf(operation, 1);
  const per = (side: 0 | 1): number[] =>
    storedItems(
      x.shape.map((_, axis) => sides[2 * axis + side]!),
      x.order,
    );
  return [...per(0), ...per(1)];
}

const pad: Rule = (to, operation) => {
  const [x, , filling] = operation.inputs as [Value, Value, Value | undefined];
  const inputs = [to.inOrder(x, x.order), to.graph.integers(sidesOf(operation, x))];
  if (filling !== undefined) inputs.push(to.plain(filling));
  return [to.node('Pad', inputs, operation.outputs[0] as TensorType, { order: x.order })];
};

/** One cell of a mirror that repeats the edge is the edge again, and ONNX has no more of it. */
const mirrorPad: Rule = (to, operation) => {
  const [x] = operation.inputs as [Value];
  const sides = sidesOf(operation, x);
  const repeats = attributeOf(operation.node, 'mode', 'string') === 'SYMMETRIC';
  if (repeats && sides.some((side) => side > 1)) {
    throw new RuntimeError(
      `exportOnnxModel: expected symmetric padding of one cell at most, received ${Math.max(...sides)}`,
    );
  }
  const inputs = [to.inOrder(x, x.order), to.graph.integers(sides)];
  const attrs = { mode: { string: repeats ? 'edge' : 'reflect' } };
  return [to.node('Pad', inputs, operation.outputs[0] as TensorType, { order: x.order, attrs })];
};

const tile: Rule = (to, operation) => {
  const [x] = operation.inputs as [Value];
  const times = storedItems(integersOf(operation, 1), x.order);
  const inputs = [to.inOrder(x, x.order), to.graph.integers(times)];
  return [to.node('Tile', inputs, operation.outputs[0] as TensorType, { order: x.order })];
};

const broadcastTo: Rule = (to, { inputs: [x], outputs: [type] }) => {
  const { shape } = type as TensorType;
  return [to.node('Expand', [to.plain(x as Value), to.graph.integers(shape)], type as TensorType)];
};

const fill: Rule = (to, { inputs: [, value], outputs: [type] }) => {
  const { shape } = type as TensorType;
  const { stored } = value as Value;
  if (typeof stored !== 'string') return [{ ...(type as TensorType), order: plainOrder(shape.length), stored }];
  return [to.node('Expand', [stored, to.graph.integers(shape)], type as TensorType)];
};

/** How one axis or more become one item each, or none. */
const reduce =
  (op: string): Rule =>
  (to, operation) => {
    const { node, inputs, outputs } = operation;
    const [x] = inputs as [Value];
    const [type] = outputs as [TensorType];
    const keepsAxes = attributeOf(node, 'keep_dims', 'bool');
    const axes = integersOf(operation, 1).map((axis) => axisOf(axis, x));
    if (axes.length === 0) return [x];
    const stored = to.graph.integers(axes.map((axis) => x.order[axis] as number));
    const order = keepsAxes ? x.order : withoutAxes(x.order, axes);
    const attrs = { keepdims: { int: Number(keepsAxes) } };
    return [to.node(op, [to.inOrder(x, x.order), stored], type, { attrs, order })];
  };

export const AXES = {
  Reshape: reshape,
  ExpandDims: reshape,
  Squeeze: reshape,
  Identity: identity,
  Transpose: transpose,
  ConcatV2: concat,
  Pack: pack,
  Split: evenSplit,
  SplitV: splitV,
  Unpack: unpack,
  Slice: slice,
  StridedSlice: stridedSlice,
  ReverseV2: reverse,
  Pad: pad,
  PadV2: pad,
  MirrorPad: mirrorPad,
  Tile: tile,
  BroadcastTo: broadcastTo,
  Fill: fill,
  Max: reduce('ReduceMax'),
  Mean: reduce('ReduceMean'),
  Min: reduce('ReduceMin'),
  Prod: reduce('ReduceProd'),
  Sum: reduce('ReduceSum'),
} as const satisfies Readonly<Record<string, Rule>>;
