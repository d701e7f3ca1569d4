/** A recording on its way into an ONNX graph: which of its tensors is where, and who owes a transposition. */
import { RuntimeError } from '@pyramidal/kernels/engine';
import { DT_BOOL, DT_FLOAT, DT_INT32, type ConstantTensor, type GraphNode, type TensorType } from '../record/graph-def';
import {
  composeOrders,
  inverseOrder,
  movesNothing,
  plainOrder,
  sameOrder,
  storedItems,
  transposeValues,
  type AxisOrder,
} from './axis-order';
import type { OnnxGraph } from './onnx-graph';
import type { OnnxAttribute, OnnxTensor, OnnxType } from './onnx-model';

/**
 * A tensor of the recording. Transpositions are not written at once: the value owes them, operations that can take any
 * order of axes pass the debt on, and all others have it paid. So images stay channels first from convolution to
 * convolution, although the recording has their channels last.
 */
export interface Value extends TensorType {
  /** The name of what is stored, or values that are not in the graph yet; a single one fills the whole shape. */
  readonly stored: string | ConstantTensor['values'];
  /** Axis i of the value is axis `order[i]` of what is stored; constants are stored in their own order. */
  readonly order: AxisOrder;
}

/** An operation of the recording with what goes in, and the types of what comes out. */
export interface Operation {
  readonly node: GraphNode;
  readonly inputs: readonly Value[];
  readonly outputs: readonly TensorType[];
}

/** Writes one operation of a recording; gives what comes out. */
export type Rule = (to: Lowering, operation: Operation) => Value[];

type Attributes = Readonly<Record<string, OnnxAttribute>>;

export class Lowering {
  private readonly values = new Map<string, Value>();
  private readonly transposed = new Map<string, string>();
  private readonly written = new Map<ConstantTensor['values'], Map<string, string>>();

  /** @param nodes of the recording, by name. */
  constructor(
    readonly graph: OnnxGraph,
    private readonly nodes: ReadonlyMap<string, GraphNode>,
  ) {}

  set(ref: string, value: Value): void {
    this.values.set(ref, value);
  }

  valueOf(ref: string): Value {
    const value = this.values.get(ref);
    if (value === undefined) throw new RuntimeError(`exportOnnxModel: '${ref}' is used before it is computed`);
    return value;
  }

  /** The recorded node that gives `ref` as its only or first output, if it is one of these operations. */
  recorded(ref: string | undefined, ...ops: readonly string[]): GraphNode | undefined {
    const [name = '', output] = ref?.split(':') ?? [];
    const node = output === '0' ? this.nodes.get(name) : undefined;
    return node !== undefined && ops.includes(node.op) ? node : undefined;
  }

  /** The only value of a constant that has one. */
  scalarOf(ref: string | undefined): number | undefined {
    const { stored } = ref === undefined ? { stored: '' } : this.valueOf(ref);
    return typeof stored !== 'string' && stored.length === 1 ? stored[0] : undefined;
  }

  /** A node with one output, seen in an order of axes. */
  node(op: string, inputs: readonly string[], type: TensorType, options: NodeOptions = {}): Value {
    const [stored] = this.graph.add(op, inputs, options.attrs) as [string];
    return { ...type, stored, order: options.order ?? plainOrder(type.shape.length) };
  }

  /** The name of what holds the value in its own order. */
  plain(value: Value): string {
    return this.inOrder(value, plainOrder(value.shape.length));
  }

  /** The name of what holds the value so that its axis i is axis `order[i]` of it. */
  inOrder(value: Value, order: AxisOrder): string {
    if (typeof value.stored !== 'string') return this.constantInOrder(value, value.stored, order);
    if (sameOrder(value.order, order)) return value.stored;
    const permutation = composeOrders(value.order, inverseOrder(order));
    const key = `${value.stored}:${permutation.join()}`;
    const known = this.transposed.get(key);
    if (known !== undefined) return known;
    const name = this.transpose(value, permutation, order);
    this.transposed.set(key, name);
    return name;
  }

  /** The value with another shape of the same size. */
  reshaped(value: Value, shape: readonly number[]): Value {
    const order = plainOrder(shape.length);
    if (typeof value.stored !== 'string') return { ...value, shape, order };
    const attrs: Attributes = shape.includes(0) ? { allowzero: { int: 1 } } : {};
    const inputs = [this.plain(value), this.graph.integers(shape)];
    return this.node('Reshape', inputs, { dtype: value.dtype, shape }, { attrs });
  }

  private transpose(value: Value, permutation: AxisOrder, order: AxisOrder): string {
    const from = storedItems(value.shape, value.order);
    const shape = storedItems(value.shape, order);
    const stored = value.stored as string;
    const [name] = movesNothing(from, permutation)
      ? this.graph.add('Reshape', [stored, this.graph.integers(shape)])
      : this.graph.add('Transpose', [stored], { perm: { ints: permutation } });
    return name as string;
  }

  private constantInOrder(value: Value, values: ConstantTensor['values'], order: AxisOrder): string {
    const written = this.written.get(values) ?? new Map<string, string>();
    this.written.set(values, written);
    const key = `${value.shape.join()}:${order.join()}`;
    const name = written.get(key) ?? this.writeConstant(value, values, order);
    written.set(key, name);
    return name;
  }

  private writeConstant({ shape, dtype }: Value, values: ConstantTensor['values'], order: AxisOrder): string {
    const stored = storedItems(shape, order);
    const size = shape.reduce((product, length) => product * length, 1);
    if (size === values.length) {
      const inTurn = transposeValues(values, shape, inverseOrder(order));
      return this.graph.initializer({ type: onnxType(dtype), shape: stored, values: inTurn });
    }
    const value: OnnxTensor = { type: onnxType(dtype), shape: [1], values };
    const [name] = this.graph.add('ConstantOfShape', [this.graph.integers(stored)], { value: { tensor: value } });
    return name as string;
  }
}

interface NodeOptions {
  readonly attrs?: Attributes;
  /** Of what is stored; its own unless given. */
  readonly order?: AxisOrder;
}

/** ONNX's name of a type of TensorFlow's. */
export function onnxType(dtype: number): OnnxType {
  if (dtype === DT_FLOAT) return 'float32';
  if (dtype === DT_INT32) return 'int32';
  if (dtype === DT_BOOL) return 'bool';
  throw new RuntimeError(
    `exportOnnxModel: expected float32, int32 or bool tensors, received TensorFlow's type ${dtype}`,
  );
}

/** Values of an input that decides on shapes, such as axes. @throws RuntimeError if they depend on the model's inputs. */
export function integersOf({ node, inputs }: Operation, at: number): number[] {
  const { stored, shape } = inputs[at] as Value;
  if (typeof stored === 'string') {
    throw new RuntimeError(
      `exportOnnxModel: expected a constant as input ${at} of ${node.op} '${node.name}', it is computed`,
    );
  }
  const size = shape.reduce((product, length) => product * length, 1);
  return Array.from({ length: size }, (_, i) => stored[stored.length === 1 ? 0 : i] as number);
}

/** An attribute by its kind. @throws RuntimeError if the recording lacks it. */
export function attributeOf<K extends 'int' | 'ints' | 'float' | 'bool' | 'string'>(
  { name, attrs }: GraphNode,
  key: string,
  kind: K,
): Extract<GraphNode['attrs'][string], Readonly<Record<K, unknown>>>[K] {
  const value = attrs[key] as Record<K, never> | undefined;
  if (value === undefined || !(kind in value))
    throw new RuntimeError(`exportOnnxModel: '${name}' has no attribute ${key}`);
  return value[kind];
}

/** A boolean that is false where the recording lacks it. */
export function flagOf({ attrs }: GraphNode, key: string): boolean {
  const value = attrs[key];
  return value !== undefined && 'bool' in value && value.bool;
}

/** The axis counted from the front. */
export function axisOf(axis: number, { shape }: TensorType): number {
  return axis < 0 ? axis + shape.length : axis;
}
