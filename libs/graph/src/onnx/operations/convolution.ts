/** Convolutions and pooling, channels first. */
import { RuntimeError } from '@pyramidal/kernels/engine';
import { DT_FLOAT, type GraphNode, type TensorType } from '../../record/graph-def';
import { CHANNELS_FIRST, plainOrder } from '../axis-order';
import { attributeOf, integersOf, type Lowering, type Operation, type Rule, type Value } from '../lowering';
import { alignedRois } from './roi-align';

type Pair = readonly [number, number];
/** Zeros around an image: above, left, below, right. */
type Sides = readonly [number, number, number, number];

/** Height and width of an attribute over all four axes. */
function spatial(node: GraphNode, key: string): Pair {
  const [batch, height, width, channels] = attributeOf(node, key, 'ints') as [number, number, number, number];
  if (batch !== 1 || channels !== 1)
    throw new RuntimeError(`exportOnnxModel: '${node.name}' has ${key} along its channels`);
  return [height, width];
}

/** What TensorFlow's `SAME` adds around an image, or nothing. */
function padding(node: GraphNode, from: Pair, to: Pair, kernel: Pair, strides: Pair): Sides {
  const kind = attributeOf(node, 'padding', 'string');
  if (attributeOf(node, 'data_format', 'string') !== 'NHWC' || (kind !== 'SAME' && kind !== 'VALID')) {
    throw new RuntimeError(`exportOnnxModel: expected NHWC with SAME or VALID padding, '${node.name}' has ${kind}`);
  }
  if (kind === 'VALID') return [0, 0, 0, 0];
  const totals = [0, 1].map((i) => Math.max((to[i]! - 1) * strides[i]! + kernel[i]! - from[i]!, 0)) as [number, number];
  const before = totals.map((total) => Math.floor(total / 2)) as [number, number];
  return [before[0], before[1], totals[0] - before[0], totals[1] - before[1]];
}

function sizeOf({ shape }: TensorType): Pair {
  return [shape[1] as number, shape[2] as number];
}

function atLeastOne(dilations: Pair, kernel: Pair): Pair {
  return [(kernel[0] - 1) * dilations[0] + 1, (kernel[1] - 1) * dilations[1] + 1];
}

/** An image that the recording pads with zeros before, and how: convolutions do that themselves. */
function unpadded(to: Lowering, { node, inputs: [x] }: Operation): { x: Value; sides: Sides } {
  const none = { x: x as Value, sides: [0, 0, 0, 0] as const };
  const pad = to.recorded(node.inputs[0], 'Pad', 'PadV2');
  if (pad === undefined || (pad.op === 'PadV2' && to.scalarOf(pad.inputs[2]) !== 0)) return none;
  const [image, paddings] = pad.inputs.map((ref) => to.valueOf(ref)) as [Value, Value];
  const sides = integersOf({ node: pad, inputs: [image, paddings], outputs: [] }, 1);
  const [n0, n1, top, bottom, left, right, c0, c1] = sides;
  if (sides.length !== 8 || [n0, n1, c0, c1].some((side) => side !== 0)) return none;
  return { x: image, sides: [top!, left!, bottom!, right!] };
}

function convolve(to: Lowering, operation: Operation, weights: string, kernel: Pair, groups: number): Value[] {
  const { node, inputs, outputs } = operation;
  const [type] = outputs as [TensorType];
  const strides = spatial(node, 'strides');
  const dilations = spatial(node, 'dilations');
  const own = padding(node, sizeOf(inputs[0] as Value), sizeOf(type), atLeastOne(dilations, kernel), strides);
  const { x, sides } = unpadded(to, operation);
  const attrs = {
    kernel_shape: { ints: kernel },
    strides: { ints: strides },
    dilations: { ints: dilations },
    pads: { ints: own.map((side, i) => side + sides[i]!) },
    group: { int: groups },
  };
  return [to.node('Conv', [to.inOrder(x, CHANNELS_FIRST), weights], type, { attrs, order: CHANNELS_FIRST })];
}

/** Filters [height, width, in, out] as ONNX has them, [out, in, height, width]. */
const OUT_IN_FIRST = [2, 3, 1, 0];

const conv2d: Rule = (to, operation) => {
  const [, filter] = operation.inputs as [Value, Value];
  const weights = to.inOrder(filter, OUT_IN_FIRST);
  return convolve(to, operation, weights, [filter.shape[0]!, filter.shape[1]!], 1);
};

/** Filters [height, width, channels, multiplier] as ONNX has them, [channels * multiplier, 1, height, width]. */
const depthwiseConv2d: Rule = (to, operation) => {
  const [, filter] = operation.inputs as [Value, Value];
  const [height, width, channels, multiplier] = filter.shape as [number, number, number, number];
  const flat = to.reshaped(filter, [height, width, channels * multiplier, 1]);
  return convolve(to, operation, to.inOrder(flat, [2, 3, 0, 1]), [height, width], channels);
};

/** A transposed convolution, which TensorFlow has as the gradient of a convolution by its input. */
const convTranspose: Rule = (to, operation) => {
  const { node, inputs, outputs } = operation;
  const [type] = outputs as [TensorType];
  const [, filter, x] = inputs as [Value, Value, Value];
  const kernel: Pair = [filter.shape[0]!, filter.shape[1]!];
  const strides = spatial(node, 'strides');
  const [from, size] = [sizeOf(x), sizeOf(type)];
  const pads = padding(node, size, from, kernel, strides);
  const reached = (i: 0 | 1): number => (from[i] - 1) * strides[i] + kernel[i] - pads[i] - pads[i + 2]!;
  const attrs = {
    kernel_shape: { ints: kernel },
    strides: { ints: strides },
    pads: { ints: pads },
    output_padding: { ints: [size[0] - reached(0), size[1] - reached(1)] },
  };
  // What the convolution gave is what this one gets: [in, out, height, width].
  const weights = to.inOrder(filter, [2, 3, 1, 0]);
  return [to.node('ConvTranspose', [to.inOrder(x, CHANNELS_FIRST), weights], type, { attrs, order: CHANNELS_FIRST })];
};

function pool(to: Lowering, op: string, { node, inputs: [x], outputs: [type] }: Operation): Value {
  const kernel = spatial(node, 'ksize');
  const strides = spatial(node, 'strides');
  const pads = padding(node, sizeOf(x as Value), sizeOf(type as TensorType), kernel, strides);
  const attrs = { kernel_shape: { ints: kernel }, strides: { ints: strides }, pads: { ints: pads } };
  const names = [to.inOrder(x as Value, CHANNELS_FIRST)];
  return to.node(op, names, type as TensorType, { attrs, order: CHANNELS_FIRST });
}

const maxPool: Rule = (to, operation) => [pool(to, 'MaxPool', operation)];

/** Averages of RoIs' points are RoIAlign's own. */
const avgPool: Rule = (to, operation) => [alignedRois(to, operation) ?? pool(to, 'AveragePool', operation)];

const biasAdd: Rule = (to, { inputs: [x, bias], outputs: [type] }) => {
  const { order, shape } = x as Value;
  const full = to.reshaped(bias as Value, [...shape.slice(1).map(() => 1), shape.at(-1) as number]);
  const names = [to.inOrder(x as Value, order), to.inOrder(full, order)];
  return [to.node('Add', names, type as TensorType, { order })];
};

/** With given statistics. */
const batchNorm: Rule = (to, { node, inputs, outputs }) => {
  const [x, ...statistics] = inputs as [Value, ...Value[]];
  const [type, ...rest] = outputs as [TensorType, ...TensorType[]];
  if (attributeOf(node, 'is_training', 'bool'))
    throw new RuntimeError('exportOnnxModel: a batch norm learns in this function');
  const attrs = { epsilon: { float: attributeOf(node, 'epsilon', 'float') } };
  const names = [to.inOrder(x, CHANNELS_FIRST), ...statistics.map((values) => to.plain(values))];
  const y = to.node('BatchNormalization', names, type, { attrs, order: CHANNELS_FIRST });
  const unused = rest.map(({ shape }): Value => {
    return { dtype: DT_FLOAT, shape, order: plainOrder(shape.length), stored: Float32Array.of(0) };
  });
  return [y, ...unused];
};

export const CONVOLUTIONS = {
  Conv2D: conv2d,
  DepthwiseConv2dNative: depthwiseConv2d,
  Conv2DBackpropInput: convTranspose,
  MaxPool: maxPool,
  AvgPool: avgPool,
  BiasAdd: biasAdd,
  FusedBatchNormV3: batchNorm,
} as const satisfies Readonly<Record<string, Rule>>;
