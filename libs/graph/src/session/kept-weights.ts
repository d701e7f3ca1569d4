/** Products whose weights stay what they are between runs keep them in the order in which they are read. */
import type { GraphNode } from '../record/graph-def';
import type { RecordedVariable } from '../record/record';

const KEEPING = new Set(['PyramidalProduct', 'PyramidalConvolution']);

/** Tells products which of their weights are variables, in a step that changes none. */
export function keepWeights(nodes: readonly GraphNode[], variables: readonly RecordedVariable[]): readonly GraphNode[] {
  if (variables.some(({ assigned }) => assigned)) return nodes;
  const values = new Set(variables.map(({ node }) => `${node}/read:0`));
  const keeps = { bool: true };
  return nodes.map((node) =>
    KEEPING.has(node.op) && values.has(node.inputs[1] ?? '') ? { ...node, attrs: { ...node.attrs, keeps } } : node,
  );
}
