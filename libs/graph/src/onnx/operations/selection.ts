/** Operations that choose among items: gathering, ranking and suppression. */
import { RuntimeError } from '@pyramidal/kernels/engine';
import { DT_INT32, type TensorType } from '../../record/graph-def';
import { withoutAxes } from '../axis-order';
import { attributeOf, axisOf, integersOf, type Lowering, type Rule, type Value } from '../lowering';
import { ONNX_TYPES } from '../onnx-model';

const TO_INT32 = { to: { int: ONNX_TYPES.int32 } };
const TO_INT64 = { to: { int: ONNX_TYPES.int64 } };

/** ONNX counts in int64, recordings in int32. */
function counted(to: Lowering, name: string, type: TensorType, order?: readonly number[]): Value {
  return to.node('Cast', [name], type, { attrs: TO_INT32, ...(order !== undefined && { order }) });
}

/** Rows by number. */
const gatherNd: Rule = (to, { inputs: [x, indices], outputs: [type] }) => {
  const { shape } = indices as Value;
  if (shape.at(-1) === 1) {
    const rows = to.plain(to.reshaped(indices as Value, shape.slice(0, -1)));
    return [to.node('Gather', [to.plain(x as Value), rows], type as TensorType, { attrs: { axis: { int: 0 } } })];
  }
  const [wide] = to.graph.add('Cast', [to.plain(indices as Value)], TO_INT64) as [string];
  return [to.node('GatherND', [to.plain(x as Value), wide], type as TensorType)];
};

const gather: Rule = (to, operation) => {
  const { node, inputs, outputs } = operation;
  const [x, indices] = inputs as [Value, Value];
  const batch = node.attrs['batch_dims'];
  if (batch !== undefined && 'int' in batch && batch.int !== 0) {
    throw new RuntimeError(`exportOnnxModel: '${node.name}' gathers along batches`);
  }
  const [axis] = integersOf(operation, 2) as [number];
  const attrs = { axis: { int: axisOf(axis, x) } };
  return [to.node('Gather', [to.plain(x), to.plain(indices)], outputs[0] as TensorType, { attrs })];
};

/** Of equal values the first comes first, in both. */
const topK: Rule = (to, operation) => {
  const [x] = operation.inputs as [Value];
  const [values, indices] = operation.outputs as [TensorType, TensorType];
  const inputs = [to.plain(x), to.graph.integers(integersOf(operation, 1), [1])];
  const [best, rows] = to.graph.add('TopK', inputs, { axis: { int: -1 } }, 2) as [string, string];
  const order = x.shape.map((_, axis) => axis);
  return [{ ...values, stored: best, order }, counted(to, rows, indices)];
};

const argBest =
  (op: string): Rule =>
  (to, operation) => {
    const [x] = operation.inputs as [Value];
    const axis = axisOf(integersOf(operation, 1)[0] as number, x);
    const attrs = { axis: { int: x.order[axis] as number }, keepdims: { int: 0 } };
    const [found] = to.graph.add(op, [to.inOrder(x, x.order)], attrs) as [string];
    return [counted(to, found, operation.outputs[0] as TensorType, withoutAxes(x.order, [axis]))];
  };

/** Rows of what `NonMaxSuppression` gives: image, class and box. */
const BOX_COLUMN = 2;

/**
 * What is kept, then zeros, and how much is kept. ONNX gives what is kept alone. Both drop a box whose IoU with a better
 * one is above the threshold, and take the first of equal scores first.
 */
const suppress: Rule = (to, operation) => {
  const { node, outputs } = operation;
  const [boxes, scores, , iou, least] = operation.inputs as [Value, Value, Value, Value, Value];
  const [indices, count] = outputs as [TensorType, TensorType];
  if (!attributeOf(node, 'pad_to_max_output_size', 'bool')) {
    throw new RuntimeError(`exportOnnxModel: '${node.name}' gives a tensor whose shape depends on values`);
  }
  const { graph } = to;
  const limit = integersOf(operation, 2)[0] as number;
  const inputs = [
    to.plain(to.reshaped(boxes, [1, ...boxes.shape])),
    to.plain(to.reshaped(scores, [1, 1, ...scores.shape])),
    graph.integers([limit], []),
    to.plain(iou),
    to.plain(least),
  ];
  const [triples] = graph.add('NonMaxSuppression', inputs) as [string];
  const [rows] = graph.add('Gather', [triples, graph.integers([BOX_COLUMN], [])], { axis: { int: 1 } }) as [string];
  const [kept] = graph.add('Shape', [rows]) as [string];
  const zeros = { tensor: { type: 'int64', shape: [1], values: BigInt64Array.of(0n) } } as const;
  const [rest] = graph.add('ConstantOfShape', [graph.integers(indices.shape)], { value: zeros }) as [string];
  const [padded] = graph.add('Concat', [rows, rest], { axis: { int: 0 } }) as [string];
  const size = graph.integers(indices.shape);
  const [first] = graph.add('Slice', [padded, graph.integers([0]), size, graph.integers([0])]) as [string];
  const scalar = to.reshaped(counted(to, kept, { dtype: DT_INT32, shape: [1] }), count.shape);
  return [counted(to, first, indices), scalar];
};

export const SELECTION = {
  GatherNd: gatherNd,
  Gather: gather,
  GatherV2: gather,
  TopKV2: topK,
  ArgMax: argBest('ArgMax'),
  ArgMin: argBest('ArgMin'),
  NonMaxSuppressionV4: suppress,
} as const satisfies Readonly<Record<string, Rule>>;
