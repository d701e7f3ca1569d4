/** Shapes of results, known without running the operation. */
import { DT_BOOL, type AttrValue } from './graph-def';
import type { SymbolicTensor } from './symbolic-tensor';

type Output = Pick<SymbolicTensor, 'shape' | 'dtype'>;
type Rule = (inputs: readonly SymbolicTensor[], attrs: Readonly<Record<string, AttrValue>>) => Output | Output[] | null;

/**
 * What comes out of the operations that take most of a step's time, told from their inputs, so that recording does not
 * have to run them.
 * @returns null for any other operation.
 */
export function outputsWithoutRunning(
  op: string,
  attrs: Readonly<Record<string, AttrValue>>,
  inputs: readonly SymbolicTensor[],
): Output[] | null {
  const output = rules[op]?.(inputs, attrs) ?? null;
  return output === null || Array.isArray(output) ? output : [output];
}

const likeFirst: Rule = ([x]) => (x === undefined ? null : { shape: x.shape, dtype: x.dtype });

const likeSecond: Rule = ([, x]) => (x === undefined ? null : { shape: x.shape, dtype: x.dtype });

const broadcast: Rule = ([a, b]) =>
  a === undefined || b === undefined ? null : { shape: broadcastShape(a.shape, b.shape), dtype: a.dtype };

const compare: Rule = ([a, b]) =>
  a === undefined || b === undefined ? null : { shape: broadcastShape(a.shape, b.shape), dtype: DT_BOOL };

const matrixProduct =
  (transposeA: string, transposeB: string): Rule =>
  ([a, b], attrs) => {
    if (a === undefined || b === undefined) return null;
    const rows = a.shape.at(isTrue(attrs[transposeA]) ? -1 : -2) ?? 0;
    const columns = b.shape.at(isTrue(attrs[transposeB]) ? -2 : -1) ?? 0;
    const batch = broadcastShape(a.shape.slice(0, -2), b.shape.slice(0, -2));
    return { shape: [...batch, rows, columns], dtype: a.dtype };
  };

/** Output whose shape is given by the values of constant input `at`. */
const shapeFrom =
  (at: number, typeOf: number): Rule =>
  (inputs) => {
    const shape = inputs[at]?.constant;
    const dtype = inputs[typeOf]?.dtype;
    return shape === undefined || dtype === undefined ? null : { shape: Array.from(shape), dtype };
  };

const transpose: Rule = ([x, permutation]) =>
  x === undefined || permutation?.constant === undefined
    ? null
    : { shape: Array.from(permutation.constant, (axis) => x.shape[axis] as number), dtype: x.dtype };

/** Of `deformableAttention`: values [batch, cells, heads, depth], weights [batch, queries, ...]. */
const attention: Rule = ([values, , weights]) => {
  if (values === undefined || weights === undefined) return null;
  const [batch = 0, , heads = 0, depth = 0] = values.shape;
  return { shape: [batch, weights.shape[1] ?? 0, heads * depth], dtype: values.dtype };
};

const likeFirstThree: Rule = (inputs) => inputs.slice(0, 3).map(({ shape, dtype }) => ({ shape, dtype }));

const rules: Readonly<Record<string, Rule>> = {
  ...forEach(['Add', 'AddV2', 'Sub', 'Mul', 'Div', 'RealDiv', 'DivNoNan', 'Maximum', 'Minimum', 'Pow'], broadcast),
  ...forEach(['SquaredDifference', 'FloorDiv', 'Mod', 'FloorMod'], broadcast),
  ...forEach(['Equal', 'NotEqual', 'Less', 'LessEqual', 'Greater', 'GreaterEqual'], compare),
  ...forEach(['LogicalAnd', 'LogicalOr'], compare),
  ...forEach(
    ['Abs', 'Neg', 'Exp', 'Log', 'Sqrt', 'Rsqrt', 'Square', 'Erf', 'Tanh', 'Sigmoid', 'Reciprocal'],
    likeFirst,
  ),
  ...forEach(
    ['Relu', 'Relu6', 'Softplus', 'Softmax', 'LogSoftmax', 'BiasAdd', '_MklLayerNorm', 'OnesLike', 'ZerosLike'],
    likeFirst,
  ),
  ...forEach(['Relu6Grad', 'ReluGrad', 'RsqrtGrad', 'SigmoidGrad', 'TanhGrad'], likeFirst),
  ResizeBilinearGrad: likeSecond,
  MatMul: matrixProduct('transpose_a', 'transpose_b'),
  BatchMatMul: matrixProduct('adj_x', 'adj_y'),
  BatchMatMulV2: matrixProduct('adj_x', 'adj_y'),
  Conv2DBackpropInput: shapeFrom(0, 1),
  Conv2DBackpropFilter: shapeFrom(1, 0),
  DepthwiseConv2dNativeBackpropInput: shapeFrom(0, 1),
  DepthwiseConv2dNativeBackpropFilter: shapeFrom(1, 0),
  BroadcastTo: shapeFrom(1, 0),
  Fill: shapeFrom(0, 1),
  Transpose: transpose,
  PyramidalDeformableAttention: attention,
  PyramidalDeformableAttentionGrad: likeFirstThree,
};

function forEach(ops: readonly string[], rule: Rule): Record<string, Rule> {
  return Object.fromEntries(ops.map((op) => [op, rule]));
}

function isTrue(attr: AttrValue | undefined): boolean {
  return attr !== undefined && 'bool' in attr && attr.bool;
}

function broadcastShape(a: readonly number[], b: readonly number[]): number[] {
  const rank = Math.max(a.length, b.length);
  return Array.from({ length: rank }, (_, axis) => {
    const [p, q] = [a[axis - rank + a.length] ?? 1, b[axis - rank + b.length] ?? 1];
    return p === 1 ? q : p;
  });
}
