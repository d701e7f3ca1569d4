/**
 * Mixed precision: products and convolutions in half width between casts, everything else in float32 (Micikevicius et al.
 * 2018, arXiv 1710.03740, section 3).
 */
import { DT_BFLOAT16, DT_FLOAT, DT_HALF, type AttrValue } from './graph-def';
import { rewrite, type GraphWriter } from './rewrites';
import type { SymbolicTensor } from './symbolic-tensor';

/** The width of products and convolutions. */
export type Precision = 'float32' | 'bf16' | 'fp16';

const HALF: Readonly<Record<Exclude<Precision, 'float32'>, number>> = { bf16: DT_BFLOAT16, fp16: DT_HALF };

/**
 * The operations in half width: those that TensorFlow's own rewriting always takes (`auto_mixed_precision_lists.h`, the
 * list that is allowed) and that occur here. Depthwise convolutions are not among them there either: their kernels for
 * processors sum in half width, where these sum in float32.
 */
const PRODUCTS: ReadonlySet<string> = new Set([
  'MatMul',
  'BatchMatMul',
  'BatchMatMulV2',
  'Conv2D',
  'Conv2DBackpropInput',
  'Conv2DBackpropFilter',
]);

/** Operations that move values and change none, so that a cast may come before them as well as after. */
const MOVES: ReadonlySet<string> = new Set(['Reshape', 'Transpose']);

/** @returns where the operation's result, computed in half width, is found as float32; null for one that stays in float32. */
export function inHalfWidth(
  graph: GraphWriter,
  precision: Precision,
  op: string,
  attrs: Readonly<Record<string, AttrValue>>,
  inputs: readonly SymbolicTensor[],
): string | null {
  if (precision === 'float32' || !PRODUCTS.has(op) || isOfTinyMap(op, inputs)) return null;
  const half = HALF[precision];
  const narrow = inputs.map((input) =>
    input.dtype === DT_FLOAT ? { ...input, ref: narrowed(graph, input.ref, half), dtype: half } : input,
  );
  const attrsOfHalf = { ...attrs, T: { type: half } };
  const refs = narrow.map(({ ref }) => ref);
  const product = rewrite(graph, op, attrsOfHalf, narrow) ?? graph.addNode(op, refs, attrsOfHalf);
  return cast(graph, product, half, DT_FLOAT);
}

/**
 * Whether it is the gradient of a filter that reaches beyond the map on all sides: what of the filter meets no cell then stays
 * unwritten in bfloat16 on processors (TensorFlow 2.21, a map of one cell and stride 2). Such maps cost nothing in float32.
 */
function isOfTinyMap(op: string, [map, filterSize]: readonly SymbolicTensor[]): boolean {
  if (op !== 'Conv2DBackpropFilter' || map === undefined) return false;
  const [, height = 0, width = 0] = map.shape;
  const [rows = Infinity, columns = Infinity] = filterSize?.constant ?? [];
  return height < rows && width < columns;
}

/** The values in half width; what a product gave is taken as it was before its cast to float32. */
function narrowed(graph: GraphWriter, ref: string, half: number): string {
  return asItWas(graph, ref, half) ?? cast(graph, ref, DT_FLOAT, half);
}

function asItWas(graph: GraphWriter, ref: string, half: number): string | null {
  const node = graph.nodeOf(ref);
  const [first, ...others] = node?.inputs ?? [];
  if (node === undefined || first === undefined) return null;
  if (node.op === 'Cast') return isType(node.attrs['SrcT'], half) ? first : null;
  const before = MOVES.has(node.op) ? asItWas(graph, first, half) : null;
  return before === null ? null : graph.addNode(node.op, [before, ...others], { ...node.attrs, T: { type: half } });
}

const isType = (attr: AttrValue | undefined, type: number): boolean =>
  attr !== undefined && 'type' in attr && attr.type === type;

function cast(graph: GraphWriter, ref: string, from: number, to: number): string {
  return graph.addNode('Cast', [ref], { SrcT: { type: from }, DstT: { type: to }, Truncate: { bool: false } });
}
