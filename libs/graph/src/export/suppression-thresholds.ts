/** Suppression of boxes as TensorFlow.js's own kernels have it. */
import { nextFloat32 } from '@pyramidal/kernels';
import { DT_FLOAT, type ConstantTensor, type GraphNode } from '../record/graph-def';

/** The input of `NonMaxSuppressionV4` that is the threshold on the IoU. */
const THRESHOLD = 3;

/**
 * TensorFlow drops a box whose IoU is above the threshold, TensorFlow.js's kernels at the threshold already: they get the
 * next higher number.
 */
export function raiseThresholds(nodes: readonly GraphNode[]): GraphNode[] {
  const byName = new Map(nodes.map((node) => [node.name, node]));
  return nodes.flatMap((node) => {
    if (node.op !== 'NonMaxSuppressionV4') return [node];
    const [name] = node.inputs[THRESHOLD]!.split(':') as [string];
    const raised = raisedConstant(byName.get(name)!, `${node.name}/threshold`);
    return [raised, { ...node, inputs: node.inputs.with(THRESHOLD, `${raised.name}:0`) }];
  });
}

function raisedConstant({ attrs: { value } }: GraphNode, name: string): GraphNode {
  const { values } = (value as { tensor: ConstantTensor }).tensor;
  const tensor = { dtype: DT_FLOAT, shape: [], values: Float32Array.of(nextFloat32(values[0]!)) };
  return { name, op: 'Const', inputs: [], attrs: { dtype: { type: DT_FLOAT }, value: { tensor } } };
}
