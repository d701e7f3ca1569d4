/** Operations in the forms that TensorFlow fuses. */
import { isTrue, numberOf, textOf } from './attr-values';
import { DT_FLOAT, DT_INT32, type AttrValue, type ConstantTensor, type GraphNode } from './graph-def';
import { convolution, matrixProduct } from './product';
import type { SymbolicTensor } from './symbolic-tensor';

/**
 * Operations written in the forms that TensorFlow's graph optimizer fuses or runs fastest. Every form runs on every
 * device and gives the operation's numbers, fused or not.
 */

type Attrs = Readonly<Record<string, AttrValue>>;

/** The part of a builder that rewrites need. */
export interface GraphWriter {
  /** Whether the graph may have the operations of this project's addon for processors. */
  readonly hasProcessorOps: boolean;
  /** Adds a node, or finds the same one that is there already; returns `node:0`. */
  addNode(op: string, inputs: readonly string[], attrs: Attrs): string;
  /** Adds a constant, or finds an equal one; returns `node:0`. */
  constantRef(tensor: ConstantTensor): string;
  /** The shape of an output, where it is known. */
  shapeOf(ref: string): readonly number[] | undefined;
  /** The node whose output `ref` is. */
  nodeOf(ref: string): GraphNode | undefined;
}

type Rewrite = (graph: GraphWriter, attrs: Attrs, inputs: readonly SymbolicTensor[]) => string | null;

/** @returns where the operation's only output, or the first of which others are not used, is found; null to leave it. */
export function rewrite(
  graph: GraphWriter,
  op: string,
  attrs: Attrs,
  inputs: readonly SymbolicTensor[],
): string | null {
  return REWRITES[op]?.(graph, attrs, inputs) ?? null;
}

const FLOAT = { T: { type: DT_FLOAT } };

/** This project's own: map, filter, a scale and an offset for each channel, and what is added before these, if anything. */
const OWN_CONVOLUTION = 'PyramidalConv3x3Ended';

/** This project's own: a map, weights, a bias, and the statistics of a norm after that, if anything. */
const GROUPED_PRODUCT = 'PyramidalGroupedProduct';

/** The convolution with a scale, an offset or a ReLU after what it has of them; null after a ReLU. One that others use, too, stays. */
function ownConvolution(
  graph: GraphWriter,
  { inputs, attrs }: GraphNode,
  after: { readonly scale?: string; readonly offset?: string; readonly relu?: true },
): string | null {
  if (isTrue(attrs['relu'])) return null;
  const [map, filter, scale, offset, ...addends] = inputs as [string, string, string, string, ...string[]];
  const scaled = (x: string): string => (after.scale === undefined ? x : graph.addNode('Mul', [x, after.scale], FLOAT));
  const moved = (x: string): string =>
    after.offset === undefined ? x : graph.addNode('AddV2', [x, after.offset], FLOAT);
  const relu = { bool: after.relu ?? false };
  const ended = [map, filter, scaled(scale), moved(scaled(offset)), ...addends];
  return graph.addNode(OWN_CONVOLUTION, ended, { ...attrs, relu });
}

/** ReLU goes into the convolution before it, where that is this project's own. */
const relu: Rewrite = (graph, _attrs, inputs) => {
  const [x] = inputs as [SymbolicTensor];
  const before = graph.nodeOf(x.ref);
  return before?.op === OWN_CONVOLUTION ? ownConvolution(graph, before, { relu: true }) : null;
};

/** Products of two matrices by the operation for that, which the optimizer fuses. */
const plainMatrixProduct: Rewrite = (graph, attrs, inputs) => {
  const { adj_x: transposeA, adj_y: transposeB, T: type } = attrs;
  const isPlain = inputs.every(({ shape }) => shape.length === 2);
  if (!isPlain || transposeA === undefined || transposeB === undefined || type === undefined) return null;
  const plain = { T: type, transpose_a: transposeA, transpose_b: transposeB };
  return graph.addNode('MatMul', refs(inputs), plain);
};

/**
 * A bias goes into this project's operations. That of a depthwise convolution becomes a plain addition: the optimizer takes a depthwise convolution, a `BiasAdd` and a
 * further addition for one operation that it does not have, and then gives up optimizing.
 */
const bias: Rewrite = (graph, _attrs, inputs) => {
  const [x, offset] = inputs as [SymbolicTensor, SymbolicTensor];
  const before = graph.nodeOf(x.ref);
  if (before?.op === OWN_CONVOLUTION) return ownConvolution(graph, before, { offset: offset.ref });
  if (before?.op === 'MatMul') return matrixProduct(graph, before, offset, x);
  if (before?.op === 'Conv2D') return convolution(graph, before, { bias: offset.ref }, x);
  if (before?.op !== 'DepthwiseConv2dNative') return null;
  return graph.addNode('AddV2', refs(inputs), { T: { type: x.dtype } });
};

function reshape(graph: GraphWriter, ref: string, shape: readonly number[]): string {
  const sizes = graph.constantRef({ dtype: DT_INT32, shape: [shape.length], values: Int32Array.from(shape) });
  return graph.addNode('Reshape', [ref, sizes], { ...FLOAT, Tshape: { type: DT_INT32 } });
}

/**
 * Batch norm with given statistics goes into the convolution before it. A bias between the two would keep them apart, so
 * it moves into the mean; without a convolution this project's own operation, or a product and a sum, are faster.
 */
const batchNorm: Rewrite = (graph, attrs, inputs) => {
  const { epsilon, is_training: isTraining } = attrs;
  if (isTrue(isTraining)) return null;
  if (epsilon === undefined || !('float' in epsilon)) return null;
  const [x, scale, offset, mean, variance] = refs(inputs) as [string, string, string, string, string];
  const before = graph.nodeOf(x);
  const norm = [scale, offset, mean, variance] as const;
  if (before?.op === 'Conv2D') {
    return convolution(graph, before, { norm, epsilon: epsilon.float }, inputs[0] as SymbolicTensor);
  }
  if (before?.op === GROUPED_PRODUCT && numberOf(before.attrs['statistics']) === 0) {
    const attrs = { ...before.attrs, statistics: { int: norm.length }, epsilon };
    return graph.addNode(GROUPED_PRODUCT, [...before.inputs, ...norm], attrs);
  }
  const [unbiased, bias] = before?.op === 'BiasAdd' ? (before.inputs as [string, string]) : [undefined, ''];
  if (unbiased !== undefined && (graph.hasProcessorOps || graph.nodeOf(unbiased)?.op === 'Conv2D')) {
    const shifted = graph.addNode('Sub', [mean, bias], FLOAT);
    const normed = [unbiased, scale, offset, shifted, variance] as const;
    if (graph.nodeOf(unbiased)?.op === 'Conv2D') return graph.addNode('FusedBatchNormV3', normed, attrs);
    return ownBatchNorm(graph, epsilon.float, [normed]);
  }
  if (graph.hasProcessorOps && before?.op !== OWN_CONVOLUTION) {
    return ownBatchNorm(graph, epsilon.float, [[x, scale, offset, mean, variance]]);
  }
  const shift = graph.constantRef({ dtype: DT_FLOAT, shape: [], values: Float32Array.of(epsilon.float) });
  const inverseStd = graph.addNode('Rsqrt', [graph.addNode('AddV2', [variance, shift], FLOAT)], FLOAT);
  const factor = graph.addNode('Mul', [scale, inverseStd], FLOAT);
  const rest = graph.addNode('Sub', [offset, graph.addNode('Mul', [mean, factor], FLOAT)], FLOAT);
  const own = before?.op === OWN_CONVOLUTION ? ownConvolution(graph, before, { scale: factor, offset: rest }) : null;
  if (own !== null) return own;
  return graph.addNode('AddV2', [graph.addNode('Mul', [x, factor], FLOAT), rest], FLOAT);
};

/**
 * Layer norm of a matrix's rows, spelt as Keras does: a batch norm whose channels are the rows, with filled scales and
 * offsets. The optimizer knows it by that and makes it one operation on processors. The size comes from the default of a
 * placeholder of its own, since a fill of known size would become a constant, and one that others share go unrecognised.
 */
const layerNorm: Rewrite = (graph, { epsilon }, inputs) => {
  const [x, scale, offset] = inputs as [SymbolicTensor, SymbolicTensor, SymbolicTensor];
  const [rows = 0, channels = 0] = x.shape;
  if (epsilon === undefined) return null;
  const constant = (dtype: number, shape: number[], values: ConstantTensor['values']): string =>
    graph.constantRef({ dtype, shape, values });
  const integers = (...values: number[]): string => constant(DT_INT32, [values.length], Int32Array.from(values));
  const size = graph.addNode('PlaceholderWithDefault', [integers(rows)], {
    dtype: { type: DT_INT32 },
    shape: { shape: [1] },
  });
  const filled = (value: number): string =>
    graph.addNode('Fill', [size, constant(DT_FLOAT, [], Float32Array.of(value))], {
      ...FLOAT,
      index_type: { type: DT_INT32 },
    });
  const none = constant(DT_FLOAT, [0], new Float32Array());
  const normal = graph.addNode(
    'FusedBatchNormV3',
    [reshape(graph, x.ref, [1, rows, channels, 1]), filled(1), filled(0), none, none],
    { ...FLOAT, U: FLOAT.T, epsilon, data_format: { string: 'NCHW' }, is_training: { bool: true } },
  );
  const scaled = graph.addNode('Mul', [reshape(graph, normal, [rows, channels]), scale.ref], FLOAT);
  return graph.addNode('AddV2', [scaled, offset.ref], FLOAT);
};

/** A map with its norm: map, scale, offset, mean, variance. */
type NormedMap = readonly [x: string, scale: string, offset: string, mean: string, variance: string];

/** This project's batch norm of maps that are put side by side. */
function ownBatchNorm(graph: GraphWriter, epsilon: number, maps: readonly NormedMap[]): string {
  return graph.addNode(
    'PyramidalBatchNorm',
    [0, 1, 2, 3, 4].flatMap((input) => maps.map((map) => map[input] as string)),
    {
      maps: { int: maps.length },
      epsilon: { float: epsilon },
      activation: { string: 'none' },
    },
  );
}

/** Maps that are put side by side along their channels go through their norms on the way. */
const concatenation: Rewrite = (graph, _attrs, inputs) => {
  const maps = inputs.slice(0, -1);
  const axis = inputs.at(-1)?.constant?.[0];
  const rank = maps[0]?.shape.length;
  if (!graph.hasProcessorOps || rank === undefined || (axis !== rank - 1 && axis !== -1)) return null;
  const epsilons = new Set<number>();
  const normed = maps.map(({ ref }) => normOf(graph, ref, epsilons));
  const [epsilon] = epsilons;
  return epsilon === undefined || epsilons.size > 1 ? null : ownBatchNorm(graph, epsilon, normed);
};

/** What a map is the norm of; itself with nothing where it is none. */
function normOf(graph: GraphWriter, ref: string, epsilons: Set<number>): NormedMap {
  const node = graph.nodeOf(ref);
  const epsilon = node?.attrs['epsilon'];
  if (
    node !== undefined &&
    isPlainNorm(node) &&
    isNormedMap(node.inputs) &&
    epsilon !== undefined &&
    'float' in epsilon
  ) {
    epsilons.add(epsilon.float);
    return node.inputs;
  }
  const nothing = graph.constantRef({ dtype: DT_FLOAT, shape: [0], values: new Float32Array() });
  return [ref, nothing, nothing, nothing, nothing];
}

const isNormedMap = (inputs: readonly string[]): inputs is NormedMap => inputs.length === 5;

/** Whether it norms by given statistics and does nothing after that. */
function isPlainNorm({ op, attrs }: GraphNode): boolean {
  if (op === 'FusedBatchNormV3') return !isTrue(attrs['is_training']);
  return op === 'PyramidalBatchNorm' && textOf(attrs['activation']) === 'none';
}

/** Keys and values that are a part of the channels of something else are read there. */
const attention: Rewrite = (graph, attrs, inputs) => {
  const [queries, ...sources] = refs(inputs) as [string, string, string];
  const [keys, values] = sources.map((ref) => partOf(graph, withoutReshape(graph, ref))) as [Part | null, Part | null];
  if (keys === null || values === null) return null;
  const at = { keys_at: { int: keys.first }, values_at: { int: values.first } };
  return graph.addNode('PyramidalSoftmaxAttention', [queries, keys.whole, values.whole], { ...attrs, ...at });
};

/** As are maps. */
const mixedConvolution: Rewrite = (graph, attrs, inputs) => {
  const [map, ...others] = refs(inputs) as [string, ...string[]];
  const part = partOf(graph, map);
  const first = numberOf(attrs['first']);
  if (part === null || first === undefined) return null;
  const at = { first: { int: part.first + first } };
  return graph.addNode('PyramidalMixedConv', [part.whole, ...others], { ...attrs, ...at });
};

/** Some channels of a map. */
interface Part {
  readonly whole: string;
  readonly first: number;
}

/** What `ref` is a part of the channels of; null where it is none. */
function partOf(graph: GraphWriter, ref: string): Part | null {
  const split = graph.nodeOf(ref);
  if (split?.op !== 'SplitV') return null;
  const [whole] = split.inputs as [string];
  const sidesOf = (map: string): string | undefined => graph.shapeOf(map)?.slice(0, -1).join();
  if (sidesOf(whole) === undefined || sidesOf(whole) !== sidesOf(ref)) return null;
  const before = Array.from({ length: outputOf(ref) }, (_, i) => graph.shapeOf(`${split.name}:${i}`)?.at(-1) ?? NaN);
  return { whole, first: before.reduce((sum, channels) => sum + channels, 0) };
}

/** What a tensor of images and channels is seen of, where only its sides between these are others. */
function withoutReshape(graph: GraphWriter, ref: string): string {
  const node = graph.nodeOf(ref);
  const from = node?.op === 'Reshape' ? (node.inputs[0] as string) : ref;
  const endsOf = (tensor: string): string | undefined => {
    const shape = graph.shapeOf(tensor);
    return shape && `${shape[0]} ${shape.at(-1)}`;
  };
  return endsOf(from) === endsOf(ref) ? from : ref;
}

/** Which output of its node a reference is. */
const outputOf = (ref: string): number => Number(ref.slice(ref.indexOf(':') + 1));

/** GELU of a product in the form that the optimizer makes part of it. */
const activation: Rewrite = (graph, attrs, inputs) => {
  const [x] = refs(inputs) as [string];
  const before = graph.nodeOf(x);
  const product = before?.op === 'BiasAdd' ? graph.nodeOf(before.inputs[0] as string) : before;
  if (product?.op !== 'MatMul' || textOf(attrs['activation']) !== 'gelu') return null;
  const scalar = (value: number): string =>
    graph.constantRef({ dtype: DT_FLOAT, shape: [], values: Float32Array.of(value) });
  const erf = graph.addNode('Erf', [graph.addNode('Mul', [x, scalar(Math.SQRT1_2)], FLOAT)], FLOAT);
  const cdf = graph.addNode('Mul', [graph.addNode('AddV2', [erf, scalar(1)], FLOAT), scalar(0.5)], FLOAT);
  return graph.addNode('Mul', [cdf, x], FLOAT);
};

const REWRITES: Readonly<Record<string, Rewrite>> = {
  MatMul: plainMatrixProduct,
  BatchMatMul: plainMatrixProduct,
  BatchMatMulV2: plainMatrixProduct,
  BiasAdd: bias,
  ConcatV2: concatenation,
  PyramidalActivation: activation,
  PyramidalMixedConv: mixedConvolution,
  PyramidalSoftmaxAttention: attention,
  FusedBatchNormV3: batchNorm,
  Relu: relu,
  _MklLayerNorm: layerNorm,
};

function refs(inputs: readonly SymbolicTensor[]): string[] {
  return inputs.map(({ ref }) => ref);
}
