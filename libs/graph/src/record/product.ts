/** Products of matrices and convolutions by operations of this project's addon, which share them among threads. */
import { isTrue, textOf } from './attr-values';
import { DT_FLOAT, type ConstantTensor, type GraphNode } from './graph-def';
import type { GraphWriter } from './rewrites';
import type { SymbolicTensor } from './symbolic-tensor';

/** Numbers of columns that this project's operation takes are multiples of it. */
const COLUMNS_TOGETHER = 8;

/**
 * The product of two matrices with its bias.
 * @param y what comes out, [rows, columns]. @returns where that is found; null to leave it.
 */
export function matrixProduct(
  graph: GraphWriter,
  { inputs, attrs }: GraphNode,
  bias: SymbolicTensor,
  y: SymbolicTensor,
): string | null {
  const isPlain = !isTrue(attrs['transpose_a']) && !isTrue(attrs['transpose_b']);
  if (!isPlain || !isOwn(graph, y)) return null;
  const [x, weight] = inputs as [string, string];
  return graph.addNode('PyramidalProduct', [x, weight, bias.ref], ENDING);
}

/** What a convolution ends with: a bias, or a norm by given statistics. */
interface Ending {
  readonly bias?: string;
  /** Scale, offset, mean and variance. */
  readonly norm?: readonly string[];
  readonly epsilon?: number;
}

/** A convolution without padding with what follows it, likewise. @param y what comes out, [N, H, W, columns]. */
export function convolution(
  graph: GraphWriter,
  { inputs, attrs }: GraphNode,
  { bias, norm = [], epsilon = 0 }: Ending,
  y: SymbolicTensor,
): string | null {
  const [x, filter] = inputs as [string, string];
  const isGrouped = graph.shapeOf(x)?.[3] !== graph.shapeOf(filter)?.[2];
  const stride = evenStride(attrs);
  if (isGrouped || stride === null || textOf(attrs['padding']) !== 'VALID' || !isOwn(graph, y)) return null;
  const normed = { statistics: { int: norm.length }, epsilon: { float: epsilon } };
  const all = { ...ENDING, ...normed, stride: { int: stride } };
  return graph.addNode('PyramidalConvolution', [x, filter, bias ?? graph.constantRef(NOTHING), ...norm], all);
}

/** In place of a bias. */
const NOTHING: ConstantTensor = { dtype: DT_FLOAT, shape: [0], values: new Float32Array() };

const ENDING: GraphNode['attrs'] = { activation: { string: 'none' }, keeps: { bool: false } };

const isOwn = (graph: GraphWriter, { shape, dtype }: SymbolicTensor): boolean =>
  graph.hasProcessorOps && dtype === DT_FLOAT && (shape.at(-1) ?? 0) % COLUMNS_TOGETHER === 0;

/** The stride along both sides of a convolution over neighbouring cells; null for others. */
function evenStride({ strides, dilations, data_format: format }: GraphNode['attrs']): number | null {
  if (strides === undefined || !('ints' in strides)) return null;
  const [images, tall, wide, channels] = strides.ints;
  const isDilated = dilations !== undefined && 'ints' in dilations && dilations.ints.some((step) => step !== 1);
  const isEven = images === 1 && channels === 1 && tall === wide && !isDilated;
  return isEven && (textOf(format) ?? 'NHWC') === 'NHWC' ? (tall ?? null) : null;
}
