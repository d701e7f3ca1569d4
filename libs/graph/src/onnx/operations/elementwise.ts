/** Operations on each element, which take their inputs in any common order of axes. */
import { RuntimeError } from '@pyramidal/kernels/engine';
import { DT_BOOL, DT_FLOAT, DT_INT32, type TensorType } from '../../record/graph-def';
import { plainOrder, sameOrder, type AxisOrder } from '../axis-order';
import { attributeOf, integersOf, onnxType, type Lowering, type Rule, type Value } from '../lowering';
import { ONNX_TYPES, type OnnxAttribute } from '../onnx-model';

/** Names of the inputs, all in one order of axes, as broadcasting takes them, and that order. */
export function aligned(
  to: Lowering,
  inputs: readonly Value[],
  shape: readonly number[],
): { names: string[]; order: AxisOrder } {
  const order = commonOrder(inputs, shape.length);
  const isWhole = inputs.map((input) => typeof input.stored === 'string' && sameShape(input.shape, shape));
  const names = inputs.map((input, i) => {
    const others = isWhole.some((whole, other) => whole && other !== i);
    return broadcastable(to, input, order, others);
  });
  return { names, order };
}

/** The order of what has all axes and is computed, if it is the same for all of them. */
export function commonOrder(inputs: readonly Value[], rank: number): AxisOrder {
  const whole = inputs.filter(({ stored, shape }) => typeof stored === 'string' && shape.length === rank);
  const [first, ...others] = whole;
  const isCommon = first !== undefined && others.every(({ order }) => sameOrder(order, first.order));
  return isCommon ? first.order : plainOrder(rank);
}

/** @param others whether another input gives the result's shape. */
function broadcastable(to: Lowering, value: Value, order: AxisOrder, others: boolean): string {
  const { stored, shape, dtype } = value;
  if (typeof stored !== 'string' && stored.length === 1 && (others || shape.length === 0)) {
    return to.plain({ stored, dtype, shape: [], order: [] });
  }
  if (shape.length === 0 || sameOrder(order, plainOrder(order.length))) return to.plain(value);
  const missing = order.length - shape.length;
  const full = missing === 0 ? value : to.reshaped(value, [...Array<number>(missing).fill(1), ...shape]);
  return to.inOrder(full, order);
}

function sameShape(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((size, axis) => size === b[axis]);
}

/** A node on values of one shape, or that broadcast to it. */
export function elementwise(
  to: Lowering,
  op: string,
  inputs: readonly Value[],
  type: TensorType,
  attrs: Readonly<Record<string, OnnxAttribute>> = {},
): Value {
  const { names, order } = aligned(to, inputs, type.shape);
  return to.node(op, names, type, { attrs, order });
}

const plain =
  (op: string): Rule =>
  (to, { inputs, outputs: [type] }) => [elementwise(to, op, inputs, type as TensorType)];

/** Operations of ONNX one on the result of the other. */
const chain =
  (...ops: readonly [string, ...string[]]): Rule =>
  (to, { inputs, outputs: [type] }) => {
    const [first, ...rest] = ops;
    const start = elementwise(to, first, inputs, type as TensorType);
    return [rest.reduce((value, op) => elementwise(to, op, [value], type as TensorType), start)];
  };

const squared = (to: Lowering, x: Value): Value => elementwise(to, 'Mul', [x, x], x);

const square: Rule = (to, { inputs: [x] }) => [squared(to, x as Value)];

const squaredDifference: Rule = (to, { inputs, outputs: [type] }) => [
  squared(to, elementwise(to, 'Sub', inputs, type as TensorType)),
];

const notEqual: Rule = (to, { inputs, outputs: [type] }) => [
  elementwise(to, 'Not', [elementwise(to, 'Equal', inputs, type as TensorType)], type as TensorType),
];

/** ONNX's sum takes no integers. */
const addN: Rule = (to, { inputs, outputs: [type] }) => {
  if ((type as TensorType).dtype === DT_FLOAT) return [elementwise(to, 'Sum', inputs, type as TensorType)];
  const [first, ...others] = inputs as [Value, ...Value[]];
  return [others.reduce((sum, other) => elementwise(to, 'Add', [sum, other], type as TensorType), first)];
};

const divNoNan: Rule = (to, { inputs: [a, b], outputs: [type] }) => {
  const zero: Value = { dtype: DT_FLOAT, shape: [], order: [], stored: Float32Array.of(0) };
  const isZero = elementwise(to, 'Equal', [b as Value, zero], { shape: (b as Value).shape, dtype: DT_BOOL });
  const quotient = elementwise(to, 'Div', [a as Value, b as Value], type as TensorType);
  return [elementwise(to, 'Where', [isZero, zero, quotient], type as TensorType)];
};

const clip = (to: Lowering, x: Value, low: number, high: number): Value =>
  to.node('Clip', [nameOf(x), to.graph.float(low), to.graph.float(high)], x, { order: x.order });

const relu6: Rule = (to, { inputs: [x] }) => [clip(to, x as Value, 0, 6)];

const clipByValue: Rule = (to, operation) => {
  const [x] = operation.inputs as [Value];
  const [low, high] = [1, 2].map((at) => integersOf(operation, at)[0] as number) as [number, number];
  return [clip(to, x, low, high)];
};

const leakyRelu: Rule = (to, { node, inputs, outputs: [type] }) => [
  elementwise(to, 'LeakyRelu', inputs, type as TensorType, {
    alpha: { float: attributeOf(node, 'alpha', 'float') },
  }),
];

const cast: Rule = (to, { inputs: [x], outputs: [type] }) => [castTo(to, x as Value, (type as TensorType).dtype)];

function castTo(to: Lowering, x: Value, dtype: number): Value {
  if (x.dtype === dtype) return x;
  const attrs = { to: { int: ONNX_TYPES[onnxType(dtype)] } };
  const { order } = x;
  return to.node('Cast', [to.inOrder(x, order)], { shape: x.shape, dtype }, { order, attrs });
}

/** Integers alone: of floats, ONNX knows the remainder of another division. */
const floorMod: Rule = (to, operation) => {
  const [type] = operation.outputs as [TensorType];
  if (type.dtype === DT_FLOAT)
    throw new RuntimeError('exportOnnxModel: ONNX has no remainder of floats that is never below 0');
  return plain('Mod')(to, operation);
};

const floorDivide: Rule = (to, operation) => {
  const { outputs } = operation;
  const [type] = outputs as [TensorType];
  if (type.dtype === DT_INT32) throw new RuntimeError('exportOnnxModel: ONNX divides integers towards 0, not down');
  return chain('Div', 'Floor')(to, operation);
};

/** A condition of one axis decides on whole rows, as TensorFlow's first `Select` has it. */
const select: Rule = (to, { inputs, outputs: [type] }) => {
  const [condition, a, b] = inputs as [Value, Value, Value];
  const rank = (type as TensorType).shape.length;
  const byRow = condition.shape.length === 1 && rank > 1;
  const rows = byRow ? to.reshaped(condition, [...condition.shape, ...Array<number>(rank - 1).fill(1)]) : condition;
  return [elementwise(to, 'Where', [rows, a, b], type as TensorType)];
};

/** Everywhere the same value, whatever the input holds. */
const filledWith =
  (value: number): Rule =>
  (_to, { outputs: [type] }) => {
    const { shape, dtype } = type as TensorType;
    const stored =
      dtype === DT_FLOAT ? Float32Array.of(value) : dtype === DT_INT32 ? Int32Array.of(value) : Uint8Array.of(value);
    return [{ shape, dtype, order: plainOrder(shape.length), stored }];
  };

function nameOf({ stored }: Value): string {
  if (typeof stored !== 'string')
    throw new RuntimeError('exportOnnxModel: expected a computed value, received a constant');
  return stored;
}

export const ELEMENTWISE = {
  Abs: plain('Abs'),
  Ceil: plain('Ceil'),
  Cos: plain('Cos'),
  Elu: plain('Elu'),
  Erf: plain('Erf'),
  Exp: plain('Exp'),
  Floor: plain('Floor'),
  Log: plain('Log'),
  LogicalNot: plain('Not'),
  Neg: plain('Neg'),
  Reciprocal: plain('Reciprocal'),
  Relu: plain('Relu'),
  Round: plain('Round'),
  Rsqrt: chain('Sqrt', 'Reciprocal'),
  Selu: plain('Selu'),
  Sigmoid: plain('Sigmoid'),
  Sign: plain('Sign'),
  Sin: plain('Sin'),
  Softplus: plain('Softplus'),
  Sqrt: plain('Sqrt'),
  Tanh: plain('Tanh'),
  Relu6: relu6,
  Square: square,
  LeakyRelu: leakyRelu,
  ClipByValue: clipByValue,
  Cast: cast,
  ZerosLike: filledWith(0),
  OnesLike: filledWith(1),
  Sub: plain('Sub'),
  Div: plain('Div'),
  RealDiv: plain('Div'),
  DivNoNan: divNoNan,
  FloorDiv: floorDivide,
  FloorMod: floorMod,
  Maximum: plain('Max'),
  Minimum: plain('Min'),
  Pow: plain('Pow'),
  SquaredDifference: squaredDifference,
  AddN: addN,
  Equal: plain('Equal'),
  NotEqual: notEqual,
  Less: plain('Less'),
  LessEqual: plain('LessOrEqual'),
  Greater: plain('Greater'),
  GreaterEqual: plain('GreaterOrEqual'),
  LogicalAnd: plain('And'),
  LogicalOr: plain('Or'),
  Select: select,
  SelectV2: plain('Where'),
} as const satisfies Readonly<Record<string, Rule>>;
