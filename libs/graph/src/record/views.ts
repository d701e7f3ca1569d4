/** Reshapes that wait until an operation needs them. */
import type { OpAttribute } from '@pyramidal/kernels/engine';
import type { SymbolicTensor } from './symbolic-tensor';

/**
 * Reshapes cost nothing to run, but they stand between operations that the graph optimizer would fuse. So they are not
 * recorded at once: the tensor owes its reshape, elementwise operations pass the debt on, and all others have it paid.
 */

const UNARY =
  /^(Abs|Neg|Exp|Log|Sqrt|Rsqrt|Square|Erf|Tanh|Sigmoid|Reciprocal|Relu6?|Softplus|Cast|PyramidalActivation)$/;
const BINARY = /^(Add|AddV2|Sub|Mul|Div|RealDiv|Maximum|Minimum|SquaredDifference|Relu6Grad|ReluGrad|BiasAdd)$/;

/** The tensor seen in another shape of the same size. */
export function viewAs(tensor: SymbolicTensor, shape: readonly number[]): SymbolicTensor {
  const actual = tensor.owed ?? tensor.shape;
  const { ref, dtype, constant } = tensor;
  const view = { ref, shape, dtype, ...(constant !== undefined && { constant }) };
  return sameShape(actual, shape) ? view : { ...view, owed: actual };
}

/** The result of an operation that changes no values: a reshape, or a cast to the type that is there. */
export function viewOnly(
  op: string,
  attributes: readonly OpAttribute[],
  tensors: readonly SymbolicTensor[],
): SymbolicTensor[] | null {
  const [x, shape] = tensors;
  if (x === undefined) return null;
  if (op === 'Reshape' && shape?.constant !== undefined) return [viewAs(x, resolveShape(shape.constant, x.shape))];
  const target = attributes.find(({ name }) => name === 'DstT')?.value;
  return op === 'Cast' && target === x.dtype ? [x] : null;
}

/**
 * The inputs of an elementwise operation in a shape that a node gives, best the one of the first input that owes a
 * reshape, and the shape its result is seen in.
 */
export function elementwiseView(
  op: string,
  [a, b]: readonly SymbolicTensor[],
): { inputs: SymbolicTensor[]; shape: readonly number[] } | null {
  if (a === undefined || (a.owed === undefined && b?.owed === undefined)) return null;
  if (UNARY.test(op)) return { inputs: [bare(a)], shape: a.shape };
  if (!BINARY.test(op) || b === undefined) return null;
  if (sameShape(a.shape, b.shape)) {
    const shape = a.owed ?? actualShape(b);
    return { inputs: [viewAs(a, shape), viewAs(b, shape)], shape: a.shape };
  }
  if (reachesEveryRow(b, a)) return { inputs: [bare(a), b], shape: a.shape };
  return reachesEveryRow(a, b) ? { inputs: [a, bare(b)], shape: b.shape } : null;
}

/** Whether a scalar or a vector over the last axis broadcasts alike to both shapes of `x`. */
function reachesEveryRow(vector: SymbolicTensor, x: SymbolicTensor): boolean {
  if (vector.owed !== undefined || vector.shape.length > 1) return false;
  const [length = 1] = vector.shape;
  const isScalar = vector.shape.length === 0;
  return isScalar || (x.shape.at(-1) === length && actualShape(x).at(-1) === length && actualShape(x).length > 1);
}

function bare(tensor: SymbolicTensor): SymbolicTensor {
  return { ref: tensor.ref, shape: actualShape(tensor), dtype: tensor.dtype };
}

function actualShape({ owed, shape }: SymbolicTensor): readonly number[] {
  return owed ?? shape;
}

function resolveShape(target: ArrayLike<number>, from: readonly number[]): number[] {
  const size = from.reduce((product, length) => product * length, 1);
  const shape = Array.from(target);
  const known = shape.reduce((product, length) => (length < 0 ? product : product * length), 1);
  return shape.map((length) => (length < 0 ? size / known : length));
}

function sameShape(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((length, axis) => length === b[axis]);
}
