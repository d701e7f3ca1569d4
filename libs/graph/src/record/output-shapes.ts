/** Shapes of results, known without running the operation. */
import { isTrue, textOf } from './attr-values';
import { DT_BOOL, DT_FLOAT, DT_INT32, type AttrValue } from './graph-def';
import type { SymbolicTensor } from './symbolic-tensor';

type Output = Pick<SymbolicTensor, 'shape' | 'dtype'>;
type Attrs = Readonly<Record<string, AttrValue>>;
type Rule = (inputs: readonly SymbolicTensor[], attrs: Attrs) => Output | Output[] | null;

/**
 * What comes out of the operations that take most of a step's time, told from their inputs, so that recording does not
 * have to run them.
 * @returns null for any other operation.
 */
export function outputsWithoutRunning(op: string, attrs: Attrs, inputs: readonly SymbolicTensor[]): Output[] | null {
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

/** Of images, NHWC, under a window of `sizes` that moves by the operation's strides. */
function underWindow(x: SymbolicTensor, sizes: readonly number[], channels: number, attrs: Attrs): Output | null {
  const strides = integers(attrs['strides']);
  const padding = textOf(attrs['padding']);
  if (x.shape.length !== 4 || strides === null || (textOf(attrs['data_format']) ?? 'NHWC') !== 'NHWC') return null;
  const dilations = integers(attrs['dilations']) ?? [1, 1, 1, 1];
  const explicit = integers(attrs['explicit_paddings']) ?? [];
  const [height, width] = [1, 2].map((axis) => {
    const length = x.shape[axis] as number;
    const stride = strides[axis] as number;
    if (padding === 'SAME') return Math.ceil(length / stride);
    const reach = ((sizes[axis - 1] as number) - 1) * (dilations[axis] as number) + 1;
    const padded = padding === 'EXPLICIT' ? (explicit[2 * axis] ?? 0) + (explicit[2 * axis + 1] ?? 0) : 0;
    return Math.floor((length + padded - reach) / stride) + 1;
  }) as [number, number];
  return { shape: [x.shape[0] as number, height, width, channels], dtype: x.dtype };
}

const convolution: Rule = ([x, filter], attrs) =>
  x === undefined || filter === undefined ? null : underWindow(x, filter.shape, filter.shape[3] as number, attrs);

const depthwiseConvolution: Rule = ([x, filter], attrs) => {
  if (x === undefined || filter === undefined) return null;
  const [, , channels = 0, multiplier = 0] = filter.shape;
  return underWindow(x, filter.shape, channels * multiplier, attrs);
};

const pool: Rule = ([x], attrs) => {
  const sizes = integers(attrs['ksize']);
  return x === undefined || sizes === null ? null : underWindow(x, sizes.slice(1, 3), x.shape[3] as number, attrs);
};

/** With given statistics, what follows the first output is used by nobody. */
const batchNorm =
  (others: number): Rule =>
  ([x, scale], attrs) =>
    x === undefined || scale === undefined || isTrue(attrs['is_training'])
      ? null
      : [x, ...Array<SymbolicTensor>(others).fill(scale)].map(({ shape, dtype }) => ({ shape, dtype }));

const concatenation: Rule = (inputs) => {
  const [parts, axisInput] = [inputs.slice(0, -1), inputs.at(-1)];
  const [first] = parts;
  const axis = axisInput?.constant?.[0];
  if (first === undefined || axis === undefined) return null;
  const place = axis < 0 ? axis + first.shape.length : axis;
  const length = parts.reduce((sum, { shape }) => sum + (shape[place] as number), 0);
  return { shape: first.shape.with(place, length), dtype: first.dtype };
};

const splitBySizes: Rule = ([x, sizes, axisInput]) => {
  const axis = axisInput?.constant?.[0];
  if (x === undefined || sizes?.constant === undefined || axis === undefined) return null;
  const place = axis < 0 ? axis + x.shape.length : axis;
  const lengths = Array.from(sizes.constant);
  const told = lengths.filter((length) => length >= 0).reduce((sum, length) => sum + length, 0);
  return lengths.map((length) => {
    const own = length < 0 ? (x.shape[place] as number) - told : length;
    return { shape: x.shape.with(place, own), dtype: x.dtype };
  });
};

const reduction: Rule = ([x, axes], attrs) => {
  if (x === undefined || axes?.constant === undefined) return null;
  const reduced = new Set(Array.from(axes.constant, (axis) => (axis < 0 ? axis + x.shape.length : axis)));
  const keeps = isTrue(attrs['keep_dims']);
  const shape = x.shape.flatMap((length, axis) => (reduced.has(axis) ? (keeps ? [1] : []) : [length]));
  return { shape, dtype: x.dtype };
};

const padded: Rule = ([x, paddings]) => {
  if (x === undefined || paddings?.constant === undefined) return null;
  const values = Array.from(paddings.constant);
  return { shape: x.shape.map((length, axis) => length + values[2 * axis]! + values[2 * axis + 1]!), dtype: x.dtype };
};

const tiled: Rule = ([x, multiples]) =>
  x === undefined || multiples?.constant === undefined
    ? null
    : { shape: Array.from(multiples.constant, (times, axis) => times * (x.shape[axis] as number)), dtype: x.dtype };

const resized =
  (typeOf: (x: SymbolicTensor) => number): Rule =>
  ([x, size]) => {
    if (x === undefined || size?.constant === undefined) return null;
    const [height, width] = Array.from(size.constant) as [number, number];
    return { shape: [x.shape[0] as number, height, width, x.shape[3] as number], dtype: typeOf(x) };
  };

const crops: Rule = ([images, boxes, , size]) => {
  if (images === undefined || boxes === undefined || size?.constant === undefined) return null;
  const [height, width] = Array.from(size.constant) as [number, number];
  return { shape: [boxes.shape[0] as number, height, width, images.shape[3] as number], dtype: DT_FLOAT };
};

/** Padded to the number that is asked for: indices, and how many of them count. */
const suppression: Rule = ([, , count], attrs) =>
  count?.constant === undefined || !isTrue(attrs['pad_to_max_output_size'])
    ? null
    : [
        { shape: [count.constant[0] as number], dtype: DT_INT32 },
        { shape: [], dtype: DT_INT32 },
      ];

const largest: Rule = ([x, count]) => {
  if (x === undefined || count?.constant === undefined) return null;
  const shape = [...x.shape.slice(0, -1), count.constant[0] as number];
  return [
    { shape, dtype: x.dtype },
    { shape, dtype: DT_INT32 },
  ];
};

const gathered: Rule = ([x, indices, axisInput], attrs) => {
  const axis = axisInput?.constant?.[0];
  const batch = attrs['batch_dims'];
  const plain = batch === undefined || ('int' in batch && batch.int === 0);
  if (x === undefined || indices === undefined || axis === undefined || axis < 0 || !plain) return null;
  return { shape: [...x.shape.slice(0, axis), ...indices.shape, ...x.shape.slice(axis + 1)], dtype: x.dtype };
};

const gatheredAt: Rule = ([x, indices]) =>
  x === undefined || indices === undefined
    ? null
    : { shape: [...indices.shape.slice(0, -1), ...x.shape.slice(indices.shape.at(-1))], dtype: x.dtype };

const expanded: Rule = ([x, axisInput]) => {
  const axis = axisInput?.constant?.[0];
  if (x === undefined || axis === undefined) return null;
  return { shape: x.shape.toSpliced(axis < 0 ? axis + x.shape.length + 1 : axis, 0, 1), dtype: x.dtype };
};

const slice: Rule = ([x, begin, size]) => {
  if (x === undefined || begin?.constant === undefined || size?.constant === undefined) return null;
  const [from, lengths] = [begin.constant, size.constant];
  const shape = x.shape.map((length, axis) => (lengths[axis]! < 0 ? length - from[axis]! : lengths[axis]!));
  return { shape, dtype: x.dtype };
};

const packed: Rule = (inputs, { axis }) => {
  const [first] = inputs;
  if (first === undefined || axis === undefined || !('int' in axis)) return null;
  const place = axis.int < 0 ? axis.int + first.shape.length + 1 : axis.int;
  return { shape: first.shape.toSpliced(place, 0, inputs.length), dtype: first.dtype };
};

const unpacked: Rule = ([x], { axis }) => {
  if (x === undefined || axis === undefined || !('int' in axis)) return null;
  const place = axis.int < 0 ? axis.int + x.shape.length : axis.int;
  return Array.from({ length: x.shape[place] as number }, () => ({
    shape: x.shape.toSpliced(place, 1),
    dtype: x.dtype,
  }));
};

const cast: Rule = ([x], { DstT: type }) =>
  x === undefined || type === undefined || !('type' in type) ? null : { shape: x.shape, dtype: type.type };

/** Of `ownRoiAlign`: the maps, then float32 [R, 4], and the number of bins in the attributes. */
const roiAlign: Rule = (inputs, { height, width }) => {
  const [map] = inputs;
  const rois = inputs.at(-1)?.shape[0];
  if (map === undefined || rois === undefined || !isInt(height) || !isInt(width)) return null;
  return { shape: [rois, height.int, width.int, map.shape[3] ?? 0], dtype: map.dtype };
};

/** Normalised rows, and of each row its mean and deviation. */
const keptNorm: Rule = ([x]) => {
  if (x === undefined) return null;
  const { shape, dtype } = x;
  const ofRows = { shape: shape.slice(0, 1), dtype };
  return [{ shape, dtype }, ofRows, ofRows];
};

const normGrad: Rule = ([dy, , , , scale]) =>
  dy === undefined || scale === undefined ? null : [dy, scale, scale].map(({ shape, dtype }) => ({ shape, dtype }));

const roiAlignGrad: Rule = ([gradient], { shapes }) => {
  if (gradient === undefined || shapes === undefined || !('ints' in shapes)) return null;
  const { dtype } = gradient;
  return Array.from({ length: shapes.ints.length / 4 }, (_, i) => ({
    shape: shapes.ints.slice(4 * i, 4 * i + 4),
    dtype,
  }));
};

/** Of `ownConv3x3`: a map [N, H, W, I] and a filter [3, 3, I, O], or the gradient of the one and the filter. */
const conv3x3 =
  (channels: 2 | 3): Rule =>
  ([map, filter]) =>
    map === undefined || filter === undefined
      ? null
      : { shape: [...map.shape.slice(0, 3), filter.shape[channels] ?? 0], dtype: map.dtype };

const conv3x3FilterGrad: Rule = ([map, gradient]) =>
  map === undefined || gradient === undefined
    ? null
    : { shape: [3, 3, map.shape[3] ?? 0, gradient.shape[3] ?? 0], dtype: map.dtype };

/** Of `convOfResized`: products of a map with the taps of a filter, [9, N, h, w, O]. */
const resizedTaps: Rule = ([products], { height, width }) => {
  if (products === undefined || !isInt(height) || !isInt(width)) return null;
  const [, images = 0, , , channels = 0] = products.shape;
  return { shape: [images, height.int, width.int, channels], dtype: products.dtype };
};

/** Of `depthwiseGroups`: a map, a bias of as many values as channels come out, and filters. */
const mixedConv: Rule = ([map, bias]) =>
  map === undefined || bias === undefined
    ? null
    : { shape: [...map.shape.slice(0, 3), bias.shape[0] ?? 0], dtype: map.dtype };

/** Of `groupedProduct`: a map, weights and a bias for each output. */
const groupedProduct: Rule = ([x, , bias]) =>
  x === undefined || bias === undefined
    ? null
    : { shape: [...x.shape.slice(0, -1), bias.shape[0] ?? 0], dtype: x.dtype };

const isInt = (attr: AttrValue | undefined): attr is { readonly int: number } => attr !== undefined && 'int' in attr;

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
  Conv2D: convolution,
  DepthwiseConv2dNative: depthwiseConvolution,
  ...forEach(['AvgPool', 'MaxPool'], pool),
  FusedBatchNorm: batchNorm(4),
  FusedBatchNormV3: batchNorm(5),
  ConcatV2: concatenation,
  SplitV: splitBySizes,
  ...forEach(['Sum', 'Mean', 'Max', 'Min', 'Prod', 'All', 'Any'], reduction),
  ...forEach(['Pad', 'PadV2', 'MirrorPad'], padded),
  Tile: tiled,
  ResizeBilinear: resized(() => DT_FLOAT),
  ResizeNearestNeighbor: resized(({ dtype }) => dtype),
  CropAndResize: crops,
  NonMaxSuppressionV4: suppression,
  TopKV2: largest,
  GatherV2: gathered,
  GatherNd: gatheredAt,
  ExpandDims: expanded,
  Slice: slice,
  Pack: packed,
  Unpack: unpacked,
  Select: likeSecond,
  Cast: cast,
  ...forEach(['AddN', 'ReverseV2'], likeFirst),
  ...forEach(['PyramidalActivation', 'PyramidalLayerNorm', 'PyramidalSoftmaxAttention'], likeFirst),
  PyramidalFactorAttention: likeSecond,
  PyramidalGroupedProduct: groupedProduct,
  PyramidalActivationAndSlope: ([x]) => (x === undefined ? null : [x, x].map(({ shape, dtype }) => ({ shape, dtype }))),
  PyramidalLayerNormKept: keptNorm,
  PyramidalLayerNormGrad: normGrad,
  PyramidalMixedConv: mixedConv,
  PyramidalDeformableAttention: attention,
  PyramidalDeformableAttentionGrad: likeFirstThree,
  PyramidalConv3x3: conv3x3(3),
  PyramidalConv3x3Ended: conv3x3(3),
  PyramidalConv3x3InputGrad: conv3x3(2),
  PyramidalConv3x3FilterGrad: conv3x3FilterGrad,
  PyramidalResizedTaps: resizedTaps,
  PyramidalRoiAlign: roiAlign,
  PyramidalRoiAlignGrad: roiAlignGrad,
};

function forEach(ops: readonly string[], rule: Rule): Record<string, Rule> {
  return Object.fromEntries(ops.map((op) => [op, rule]));
}

/** A list of whole numbers; null where there is none. */
function integers(attr: AttrValue | undefined): readonly number[] | null {
  return attr !== undefined && 'ints' in attr ? attr.ints : null;
}

function broadcastShape(a: readonly number[], b: readonly number[]): number[] {
  const rank = Math.max(a.length, b.length);
  return Array.from({ length: rank }, (_, axis) => {
    const [p, q] = [a[axis - rank + a.length] ?? 1, b[axis - rank + b.length] ?? 1];
    return p === 1 ? q : p;
  });
}
