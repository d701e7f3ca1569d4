/** Small products and convolutions by operations of this project's addon, which share them among threads. */
import { isTrue, textOf } from './attr-values';
import { DT_FLOAT, type ConstantTensor, type GraphNode } from './graph-def';
import type { GraphWriter } from './rewrites';
import type { SymbolicTensor } from './symbolic-tensor';

/**
 * Bytes of all three matrices of a product. What fits in a core's second cache, a megabyte, TensorFlow computes on one thread
 * (`ExecuteSingleThreadedGemm`); up to three this project's operation is faster with weights that it keeps in order, and as fast without.
 */
const SMALL_BYTES = 3 * 2 ** 20;
/** Multiply-adds that several threads are worth. */
const WORTH_THREADS = 4e6;
/** Multiply-adds of a convolution from which on TensorFlow's is as fast. */
const LARGE_CONVOLUTION = 64e6;
/** Multiply-adds of an output up to which it is slower at any size: the colours under a window. */
const SHALLOW = 32;
/** Numbers of columns that this project's operation takes are multiples of it. */
const COLUMNS_TOGETHER = 16;

/**
 * The product of small matrices with its bias.
 * @param y what comes out, [rows, columns]. @returns where that is found; null to leave it.
 */
export function smallProduct(
  graph: GraphWriter,
  product: GraphNode,
  bias: SymbolicTensor,
  y: SymbolicTensor,
): string | null {
  const { inputs, attrs } = product;
  const [x, weight] = inputs as [string, string];
  const [rows = 0, columns = 0] = y.shape;
  const depth = graph.shapeOf(weight)?.[0] ?? 0;
  const bytes = 4 * (rows * columns + depth * (rows + columns));
  const isSmall = bytes < SMALL_BYTES && rows * columns * depth >= WORTH_THREADS;
  const isPlain = !isTrue(attrs['transpose_a']) && !isTrue(attrs['transpose_b']);
  if (!isSmall || !isPlain || !isOwn(graph, y)) return null;
  return graph.addNode('PyramidalSmallProduct', [x, weight, bias.ref], ENDING);
}

/** What a convolution ends with: a bias, or a norm by given statistics. */
interface Ending {
  readonly bias?: string;
  /** Scale, offset, mean and variance. */
  readonly norm?: readonly string[];
  readonly epsilon?: number;
}

/** A small convolution without padding with what follows it, likewise. @param y what comes out, [N, H, W, columns]. */
export function smallConvolution(
  graph: GraphWriter,
  { inputs, attrs }: GraphNode,
  { bias, norm = [], epsilon = 0 }: Ending,
  y: SymbolicTensor,
): string | null {
  const [x, filter] = inputs as [string, string];
  const [height = 1, width = 1, channels = 0, columns = 0] = graph.shapeOf(filter) ?? [];
  const depth = height * width * channels;
  const products = y.shape.reduce((all, size) => all * size, 1) * depth;
  const most = depth <= SHALLOW ? Infinity : LARGE_CONVOLUTION;
  const stride = evenStride(attrs);
  const isSmall = products >= WORTH_THREADS && products < most && columns === y.shape[3];
  if (!isSmall || stride === null || textOf(attrs['padding']) !== 'VALID' || !isOwn(graph, y)) return null;
  const normed = { statistics: { int: norm.length }, epsilon: { float: epsilon } };
  const all = { ...ENDING, ...normed, stride: { int: stride } };
  return graph.addNode('PyramidalSmallConvolution', [x, filter, bias ?? graph.constantRef(NOTHING), ...norm], all);
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
