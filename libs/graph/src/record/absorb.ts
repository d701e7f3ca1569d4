/** Operations of this project's addon take in the activations that follow them, so that maps go through memory once. */
import { textOf } from './attr-values';
import { nodeNameOf, type AttrValue, type GraphNode } from './graph-def';

type Node = { -readonly [K in keyof GraphNode]: GraphNode[K] };

/** Of a node that is an activation. */
const activationOf = ({ op, attrs }: Node): AttrValue | undefined =>
  op === 'Relu' ? { string: 'relu' } : op === 'PyramidalActivation' ? attrs['activation'] : undefined;

/** A graph as it is recorded: nodes in an order in which inputs come before what reads them. */
interface Recorded {
  readonly nodes: readonly GraphNode[];
  /** What is fetched, `node:output`. */
  readonly outputs: readonly string[];
}

/**
 * Activations become part of the operation that gives their input, where it can end with one and nobody else reads what it gives.
 * @returns the nodes that are left, and where a value is found now.
 */
export function absorb(recorded: Recorded): { nodes: GraphNode[]; refOf: (ref: string) => string } {
  const graph = new Absorption(recorded);
  return { nodes: graph.run(), refOf: (ref) => graph.refOf(ref) };
}

class Absorption {
  private readonly nodes: readonly Node[];
  private readonly byName: ReadonlyMap<string, Node>;
  private readonly readers = new Map<string, number>();
  private readonly moved = new Map<string, string>();

  constructor(recorded: Recorded) {
    this.nodes = recorded.nodes.map((node) => ({ ...node }));
    this.byName = new Map(this.nodes.map((node) => [node.name, node]));
    const read = [...this.nodes.flatMap(({ inputs }) => inputs), ...recorded.outputs];
    for (const ref of read) this.readers.set(nodeNameOf(ref), (this.readers.get(nodeNameOf(ref)) ?? 0) + 1);
  }

  run(): GraphNode[] {
    return this.nodes.filter((node) => {
      node.inputs = node.inputs.map((ref) => this.refOf(ref));
      return !this.takesIn(node);
    });
  }

  /** Where the value of `ref` is found. */
  refOf(ref: string): string {
    return this.moved.get(ref) ?? ref;
  }

  /** Makes a node that is an activation part of what gives its input. @returns whether it is now. */
  private takesIn(node: Node): boolean {
    const activation = activationOf(node);
    const [x] = node.inputs;
    if (activation === undefined || x === undefined) return false;
    const giver = this.giverOf(x);
    if (giver === undefined || textOf(giver.attrs['activation']) !== 'none') return false;
    giver.attrs = { ...giver.attrs, activation };
    this.moved.set(`${node.name}:0`, x);
    this.moved.set(`^${node.name}`, `^${nodeNameOf(x)}`);
    this.readers.set(nodeNameOf(x), this.readers.get(node.name) ?? 0);
    return true;
  }

  /** What gives `ref`, through reshapes, if nobody else reads it. */
  private giverOf(ref: string): Node | undefined {
    const node = this.byName.get(nodeNameOf(ref));
    if (node === undefined || this.readers.get(node.name) !== 1) return undefined;
    return node.op === 'Reshape' ? this.giverOf(node.inputs[0] as string) : node;
  }
}
