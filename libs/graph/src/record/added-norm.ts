/** A sum and its layer norm in one operation of this project's addon: the sum goes through memory once. */
import { nodeNameOf, type GraphNode, type TensorType } from './graph-def';

const SUMS: ReadonlySet<string> = new Set(['Add', 'AddV2']);

/** A graph as it is recorded. */
interface Recorded {
  readonly nodes: readonly GraphNode[];
  /** Shapes and types by `node:output`. */
  readonly tensors: ReadonlyMap<string, TensorType>;
}

/**
 * Layer norms take in the sums that they norm; other readers of a sum find it as the second output then.
 * @returns the nodes that are left, and where a value is found now.
 */
export function addWithinNorms({ nodes, tensors }: Recorded): { nodes: GraphNode[]; refOf: (ref: string) => string } {
  const byName = new Map(nodes.map((node) => [node.name, node]));
  const sums = new Map<string, { sum: GraphNode; norm: string }>();
  for (const norm of nodes) {
    const sum = norm.op === 'PyramidalLayerNorm' ? sumOf(norm, byName, tensors) : undefined;
    if (sum !== undefined && !sums.has(sum.name)) sums.set(sum.name, { sum, norm: norm.name });
  }
  const bySumOfNorm = new Map([...sums.values()].map(({ sum, norm }) => [norm, sum]));
  const refOf = (ref: string): string => {
    const { norm } = sums.get(nodeNameOf(ref)) ?? {};
    return norm === undefined ? ref : ref.startsWith('^') ? `^${norm}` : `${norm}:1`;
  };
  const left = nodes.filter(({ name }) => !sums.has(name));
  return {
    nodes: left.map((node) => {
      const sum = bySumOfNorm.get(node.name);
      if (sum === undefined) return { ...node, inputs: node.inputs.map(refOf) };
      const [, ...scaleAndOffset] = node.inputs;
      const addends = sum.inputs.slice(0, 2);
      return { ...node, op: 'PyramidalAddedNorm', inputs: [...addends, ...scaleAndOffset].map(refOf) };
    }),
    refOf,
  };
}

/** The sum of two equal shapes that a norm norms, through a reshape; only where scale and offset are variables, which no sum goes before. */
function sumOf(
  { inputs: [x = '', ...others] }: GraphNode,
  byName: ReadonlyMap<string, GraphNode>,
  tensors: ReadonlyMap<string, TensorType>,
): GraphNode | undefined {
  const giver = byName.get(nodeNameOf(x));
  const sum = giver?.op === 'Reshape' ? byName.get(nodeNameOf(giver.inputs[0] ?? '')) : giver;
  if (sum === undefined || !SUMS.has(sum.op) || sum.inputs.length !== 2) return undefined;
  const [a, b] = sum.inputs.map((ref) => tensors.get(ref)?.shape.join());
  const areVariables = others.every((ref) => byName.get(nodeNameOf(ref))?.op === 'ReadVariableOp');
  return areVariables && a !== undefined && a === b ? sum : undefined;
}
