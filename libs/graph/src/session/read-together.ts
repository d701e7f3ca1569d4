/** The variables of a step that only reads them are read by one operation of this project's addon, in place of two for each. */
import { DT_FLOAT, nodeNameOf, type GraphNode } from '../record/graph-def';
import type { RecordedVariable } from '../record/record';

const READS = 'variables/read';

/** @returns the nodes that are left, and where a value is found now. */
export function readTogether(
  nodes: readonly GraphNode[],
  variables: readonly RecordedVariable[],
): { nodes: readonly GraphNode[]; refOf: (ref: string) => string } {
  const isRead = variables.length > 0 && variables.every(({ assigned, dtype }) => !assigned && dtype === DT_FLOAT);
  if (!isRead) return { nodes, refOf: (ref) => ref };
  const outputs = new Map(variables.map(({ node }, output) => [`${node}/read`, output]));
  const handles = new Set(variables.map(({ node }) => `${node}/handle`));
  const refOf = (ref: string): string => {
    const output = outputs.get(nodeNameOf(ref));
    if (output === undefined) return ref;
    return ref.startsWith('^') ? `^${READS}` : `${READS}:${output}`;
  };
  const attrs = {
    names: { strings: variables.map(({ node }) => node) },
    shapes: { shapes: variables.map(({ shape }) => shape) },
    count: { int: variables.length },
  };
  const others = nodes.filter(({ name }) => !outputs.has(name) && !handles.has(name));
  return {
    nodes: [
      { name: READS, op: 'PyramidalReadVariables', inputs: [], attrs },
      ...others.map((node) => ({ ...node, inputs: node.inputs.map(refOf) })),
    ],
    refOf,
  };
}
