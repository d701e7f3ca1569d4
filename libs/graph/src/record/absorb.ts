/** Operations of this project's addon take in what follows them, so that maps go through memory once. */
import type { GraphNode } from './graph-def';

type Node = { -readonly [K in keyof GraphNode]: GraphNode[K] };

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
    for (const ref of read) this.readers.set(nameOf(ref), (this.readers.get(nameOf(ref)) ?? 0) + 1);
  }

  run(): GraphNode[] {
    return this.nodes.filter((node) => {
      node.inputs = node.inputs.map((ref) => this.refOf(ref));
      const place = node.inputs.find((ref) => RULES[node.op]?.(node, ref, this) === true);
      if (place !== undefined) this.move(node, place);
      return place === undefined;
    });
  }

  /** Where the value of `ref` is found. */
  refOf(ref: string): string {
    return this.moved.get(ref) ?? ref;
  }

  /** What gives `ref`, through reshapes, if nobody else reads it. */
  giverOf(ref: string): Node | undefined {
    const node = this.byName.get(nameOf(ref));
    if (node === undefined || this.readers.get(node.name) !== 1) return undefined;
    return node.op === 'Reshape' ? this.giverOf(node.inputs[0] as string) : node;
  }

  private move(node: Node, place: string): void {
    this.moved.set(`${node.name}:0`, place);
    this.readers.set(nameOf(place), this.readers.get(node.name) ?? 0);
  }
}

/** Makes `node` part of what gives `ref`, one of its inputs. @returns whether it did. */
type Rule = (node: Node, ref: string, graph: Absorption) => boolean;

const activation: Rule = (node, ref, graph) => {
  const giver = graph.giverOf(ref);
  if (giver === undefined || !isOpen(giver)) return false;
  giver.attrs = { ...giver.attrs, activation: node.attrs['activation'] ?? { string: 'relu' } };
  return true;
};

const RULES: Readonly<Record<string, Rule>> = {
  PyramidalActivation: activation,
  Relu: activation,
};

/** Whether an activation may follow within the operation. */
function isOpen({ attrs: { activation: own } }: Node): boolean {
  return own !== undefined && 'string' in own && own.string === 'none';
}

/** The node of `node:output` or `^node`. */
function nameOf(ref: string): string {
  return (ref.split(':')[0] as string).replace('^', '');
}
