/** Sums and products that ONNX has one operation for: layer norm, GELU and hard swish. */
import type { GraphNode, TensorType } from '../../record/graph-def';
import { attributeOf, axisOf, type Lowering, type Operation, type Rule, type Value } from '../lowering';
import { elementwise } from './elementwise';

const ADD = ['Add', 'AddV2'] as const;

/** The inputs of a sum or product with one that `of` recognises first. */
function pairOf<T>(
  node: GraphNode | undefined,
  of: (ref: string) => T | undefined,
): { found: T; other: string } | null {
  const [a, b] = node?.inputs ?? [];
  if (a === undefined || b === undefined) return null;
  for (const [ref, other] of [
    [a, b],
    [b, a],
  ] as const) {
    const found = of(ref);
    if (found !== undefined) return { found, other };
  }
  return null;
}

/** What is added to, or multiplied with, this number: the other input. */
function besides(to: Lowering, node: GraphNode | undefined, value: number): string | null {
  const isValue = (ref: string): true | undefined => (to.scalarOf(ref) === Math.fround(value) ? true : undefined);
  return pairOf(node, isValue)?.other ?? null;
}

/** `0.5 (erf(x / sqrt(2)) + 1) x`. */
function gelu(to: Lowering, node: GraphNode): string | null {
  const cdf = (ref: string): string | undefined => {
    const sum = besides(to, to.recorded(ref, 'Mul'), 0.5) ?? undefined;
    const error = besides(to, to.recorded(sum, ...ADD), 1) ?? undefined;
    const scaled = to.recorded(error, 'Erf')?.inputs[0];
    return besides(to, to.recorded(scaled, 'Mul'), Math.SQRT1_2) ?? undefined;
  };
  const pair = pairOf(node, cdf);
  return pair !== null && pair.found === pair.other ? pair.other : null;
}

/** `relu6(x + 3) (x / 6)`. */
function hardSwish(to: Lowering, node: GraphNode): string | null {
  const ramp = (ref: string): string | undefined => {
    const shifted = to.recorded(ref, 'Relu6')?.inputs[0];
    return besides(to, to.recorded(shifted, ...ADD), 3) ?? undefined;
  };
  const pair = pairOf(node, ramp);
  if (pair === null) return null;
  return besides(to, to.recorded(pair.other, 'Mul'), 1 / 6) === pair.found ? pair.found : null;
}

interface LayerNorm {
  readonly x: string;
  readonly scale: string;
  readonly offset: string;
  readonly epsilon: number;
}

/** `(x - mean) rsqrt(mean((x - mean)^2) + epsilon) scale + offset`, the means over the last axis. */
function layerNorm(to: Lowering, node: GraphNode): LayerNorm | null {
  const sum = pairOf(node, (ref) => to.recorded(ref, 'Mul'));
  if (sum === null) return null;
  const scaled = pairOf(sum.found, (ref) => to.recorded(ref, 'Mul'));
  if (scaled === null) return null;
  const normal = pairOf(scaled.found, (ref) => to.recorded(ref, 'Rsqrt'));
  if (normal === null) return null;
  const centred = to.recorded(normal.other, 'Sub');
  const [x] = centred?.inputs ?? [];
  if (x === undefined || meanOfRows(to, centred?.inputs[1]) !== x) return null;
  const shifted = pairOf(to.recorded(normal.found.inputs[0], ...ADD), (ref) => to.scalarOf(ref));
  if (shifted === null) return null;
  const square = to.recorded(meanOfRows(to, shifted.other), 'Square');
  if (square?.inputs[0] !== normal.other) return null;
  return { x, scale: scaled.other, offset: sum.other, epsilon: shifted.found };
}

/** What `ref` is the mean of, over the last axis, which stays. */
function meanOfRows(to: Lowering, ref: string | undefined): string | undefined {
  const mean = to.recorded(ref, 'Mean');
  const [x, axes] = mean?.inputs ?? [];
  const axis = to.scalarOf(axes);
  if (mean === undefined || x === undefined || axis === undefined) return undefined;
  const value = to.valueOf(x);
  const isOfRows = attributeOf(mean, 'keep_dims', 'bool') && axisOf(axis, value) === value.shape.length - 1;
  return isOfRows ? x : undefined;
}

const product: Rule = (to, { node, inputs, outputs }) => {
  const [type] = outputs as [TensorType];
  const smooth = gelu(to, node);
  if (smooth !== null) return [elementwise(to, 'Gelu', [to.valueOf(smooth)], type)];
  const hard = hardSwish(to, node);
  return [
    hard === null ? elementwise(to, 'Mul', inputs, type) : elementwise(to, 'HardSwish', [to.valueOf(hard)], type),
  ];
};

const sum: Rule = (to, operation) => {
  const norm = layerNorm(to, operation.node);
  return [norm === null ? plainSum(to, operation) : normalised(to, operation, norm)];
};

function plainSum(to: Lowering, { inputs, outputs }: Operation): Value {
  return elementwise(to, 'Add', inputs, outputs[0] as TensorType);
}

function normalised(to: Lowering, { outputs: [type] }: Operation, { x, scale, offset, epsilon }: LayerNorm): Value {
  const inputs = [x, scale, offset].map((ref) => to.plain(to.valueOf(ref)));
  const attrs = { axis: { int: -1 }, epsilon: { float: epsilon } };
  return to.node('LayerNormalization', inputs, type as TensorType, { attrs });
}

export const FUSED = { Mul: product, Add: sum, AddV2: sum } as const satisfies Readonly<Record<string, Rule>>;
