/** An ONNX graph while it is written: nodes in an order to run them, and constants that share what is equal. */
import type { OnnxAttribute, OnnxNode, OnnxTensor } from './onnx-model';

/** Constants up to this many bytes are compared with each other. */
const COMPARED = 256;

export class OnnxGraph {
  private readonly allNodes: OnnxNode[] = [];
  private readonly allInitializers = new Map<string, OnnxTensor>();
  private readonly known = new Map<string, string>();
  private readonly counts = new Map<string, number>();

  /** Adds a node; the names of its outputs, which are new unless given. */
  add(
    op: string,
    inputs: readonly string[],
    attrs: Readonly<Record<string, OnnxAttribute>> = {},
    outputs: number | readonly string[] = 1,
  ): string[] {
    const name = this.fresh(op);
    const named =
      typeof outputs === 'number'
        ? Array.from({ length: outputs }, (_, i) => (outputs === 1 ? name : `${name}_${i}`))
        : [...outputs];
    this.allNodes.push({ name, op, inputs, outputs: named, attrs });
    return named;
  }

  /** A constant's name; small equal ones are one. */
  initializer(tensor: OnnxTensor): string {
    const { type, shape, values } = tensor;
    const key = values.byteLength <= COMPARED ? `${type}[${shape.join()}]${values.join()}` : undefined;
    const known = key === undefined ? undefined : this.known.get(key);
    if (known !== undefined) return known;
    const name = this.fresh('constant');
    this.allInitializers.set(name, tensor);
    if (key !== undefined) this.known.set(key, name);
    return name;
  }

  /** A constant of int64, which is what ONNX takes shapes, axes and paddings as. */
  integers(values: readonly number[], shape: readonly number[] = [values.length]): string {
    return this.initializer({ type: 'int64', shape, values: BigInt64Array.from(values, BigInt) });
  }

  float(value: number): string {
    return this.initializer({ type: 'float32', shape: [], values: Float32Array.of(value) });
  }

  /** What the named outputs need. */
  neededFor(outputs: readonly string[]): { nodes: OnnxNode[]; initializers: Map<string, OnnxTensor> } {
    const needed = new Set(outputs);
    const backwards = this.allNodes.toReversed().filter((node) => {
      const isNeeded = node.outputs.some((output) => needed.has(output));
      if (isNeeded) for (const input of node.inputs) needed.add(input);
      return isNeeded;
    });
    const initializers = new Map([...this.allInitializers].filter(([name]) => needed.has(name)));
    return { nodes: backwards.reverse(), initializers };
  }

  private fresh(kind: string): string {
    const count = this.counts.get(kind) ?? 0;
    this.counts.set(kind, count + 1);
    return `${kind}_${count}`;
  }
}
