/** Products of matrices, and softmax. */
import type { TensorType } from '../../record/graph-def';
import { plainOrder } from '../axis-order';
import { flagOf, type Lowering, type Rule, type Value } from '../lowering';

/** The name of what holds a matrix, its rows and columns exchanged where asked for. */
function matrix(to: Lowering, value: Value, isTurned: boolean): string {
  const rank = value.shape.length;
  return isTurned ? to.inOrder(value, [...plainOrder(rank - 2), rank - 1, rank - 2]) : to.plain(value);
}

const product =
  (turnA: string, turnB: string): Rule =>
  (to, { node, inputs, outputs: [type] }) => {
    const [a, b] = inputs as [Value, Value];
    const names = [matrix(to, a, flagOf(node, turnA)), matrix(to, b, flagOf(node, turnB))];
    return [to.node('MatMul', names, type as TensorType)];
  };

/** Over the last axis, wherever that is stored. */
const softmax =
  (op: string): Rule =>
  (to, { inputs: [x], outputs: [type] }) => {
    const { order } = x as Value;
    const attrs = { axis: { int: order.at(-1) as number } };
    return [to.node(op, [to.inOrder(x as Value, order)], type as TensorType, { attrs, order })];
  };

export const MATRICES = {
  MatMul: product('transpose_a', 'transpose_b'),
  BatchMatMul: product('adj_x', 'adj_y'),
  BatchMatMulV2: product('adj_x', 'adj_y'),
  Softmax: softmax('Softmax'),
  LogSoftmax: softmax('LogSoftmax'),
} as const satisfies Readonly<Record<string, Rule>>;
