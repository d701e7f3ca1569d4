/** Takes the place of the engine's binding while a step is recorded: every operation becomes a node of a graph. */
import type * as tf from '@tensorflow/tfjs-core';
import type { EngineBinding, OpAttribute, RecordingBinding, TensorMetadata } from '@pyramidal/kernels/engine';
import {
  DT_FLOAT,
  DT_INT32,
  nodeNameOf,
  type AttrValue,
  type ConstantTensor,
  type GraphNode,
  type TensorSignature,
  type TensorType,
} from './graph-def';
import { inHalfWidth, type Precision } from './half-width';
import { inputTypes } from './op-inputs';
import { outputsWithoutRunning } from './output-shapes';
import type { SymbolicTensor } from './symbolic-tensor';
import { elementwiseView, viewAs, viewOnly } from './views';
import { RecordingError } from './recording-error';
import { Collectives, type StepCluster } from './collectives';
import { rewrite, type GraphWriter } from './rewrites';

export interface RecordOptions {
  /** Names the step in errors. */
  readonly name: string;
  readonly precision: Precision;
  /**
   * For other engines, which optimize no graphs: only TensorFlow.js's own operations, as they are; those on variables and
   * constants alone are done, and their results are constants. False unless given.
   */
  readonly portable?: boolean;
  /** For another process, which lacks this project's addon. False unless given. */
  readonly exported?: boolean;
  /** The processes that run the step together; this one alone unless given. */
  readonly cluster?: StepCluster | undefined;
}

/** Ids above this are the builder's own; the addon counts from 0. */
const FIRST_ID = 2 ** 30;

/** What the names of a step's own nodes begin with. */
const STEP = 'step';

/** Operations whose output shape depends on values, so that no graph of fixed shapes can hold them. */
const DYNAMIC_SHAPES = new Set([
  'Where',
  'Unique',
  'NonMaxSuppressionV2',
  'NonMaxSuppressionV3',
  'NonMaxSuppressionV5',
]);

/** Operations that are a node of their own each time: they may give another result, or are meant to. */
const UNIQUE = /^(Const$|PlaceholderWithDefault|Random|Multinomial|TruncatedNormal|Collective)/;

/** Operations that draw numbers: XLA would draw others, so that it leaves them to TensorFlow. */
const DRAWS = /^StatelessRandom/;
const NOT_BY_XLA = { _XlaCompile: { bool: false } };

/** Constants up to this many elements stay as they are even if all elements are equal. */
const SMALL = 16;

/** Constants up to this many elements are compared with each other. Those and all integers decide on output shapes. */
const COMPARED = 1024;

/**
 * Takes the binding's place while a step runs once, and writes down each operation as a graph node. Nothing is kept of
 * what the operations compute.
 */
export class GraphBuilder implements GraphWriter {
  readonly nodes: GraphNode[] = [];
  /** Shapes and types of what nodes give, by `node:output`. */
  readonly tensors = new Map<string, TensorType>();
  constantBytes = 0;
  private readonly recorded: SymbolicTensor[] = [];
  private readonly constants = new Map<string, number>();
  private readonly opNames = new Map<string, number>();
  private readonly known = new Map<string, string>();
  private readonly nodesByName = new Map<string, GraphNode>();
  private readonly collectives: Collectives | undefined;
  private scope = STEP;

  constructor(
    private readonly real: EngineBinding,
    private readonly options: RecordOptions,
  ) {
    const { cluster } = options;
    if (cluster !== undefined) this.collectives = new Collectives(this, cluster, real.isUsingGpuDevice());
  }

  /** Whether the graph is for other engines. */
  get isPortable(): boolean {
    return this.options.portable === true;
  }

  get hasProcessorOps(): boolean {
    const { real, options } = this;
    return real.sessions !== undefined && options.exported !== true && !real.isUsingGpuDevice();
  }

  /** The binding that TensorFlow.js sees while recording. */
  binding(): EngineBinding {
    const fail = (what: string) => (): never => this.fail(what);
    return Object.create(this.real, {
      executeOp: { value: this.execute.bind(this) },
      recording: { value: this.recordingBinding() },
      deleteTensor: { value: this.deleteTensor.bind(this) },
      ...(!this.isPortable && { createTensor: { value: fail('a tensor is created below TensorFlow.js') } }),
      tensorDataSync: { value: fail('values of a tensor are read') },
      loadSavedModel: { value: fail('a model is loaded') },
      sessions: {
        value: { threads: 0, Session: this.noSession(), startServer: fail('a server is started') },
      },
    }) as EngineBinding;
  }

  private noSession(): new () => never {
    const fail = (): never => this.fail('another compiled step is run');
    return class {
      constructor() {
        fail();
      }
    } as new () => never;
  }

  private recordingBinding(): RecordingBinding {
    return {
      isPortable: this.isPortable,
      isExported: this.options.exported === true,
      isFloat32: this.options.precision === 'float32',
      fusesLayerNorm: !this.real.isUsingGpuDevice() && process.env.TF_ENABLE_ONEDNN_OPTS !== '0',
      inScope: this.inScope.bind(this),
      identityAfter: this.identityAfter.bind(this),
      workers: this.options.cluster?.workers ?? 1,
      reduceOverWorkers: this.reduceOverWorkers.bind(this),
    };
  }

  private inScope<T>(scope: string, work: () => T): T {
    const before = this.scope;
    this.scope = `${STEP}/${scope}`;
    try {
      return work();
    } finally {
      this.scope = before;
    }
  }

  /** The name in the scope of now. */
  inStep(name: string): string {
    return `${this.scope}/${name}`;
  }

  fail(what: string): never {
    throw new RecordingError(
      this.options.name,
      what,
      'a compiled step has fixed shapes, reads no values and draws no numbers in JavaScript',
    );
  }

  at(id: number): SymbolicTensor {
    const found = this.recorded[id - FIRST_ID];
    return found ?? this.fail(`tensor ${id} is unknown to the builder`);
  }

  isRecorded(id: number): boolean {
    return id >= FIRST_ID;
  }

  /** A tensor that is fed at every run. */
  placeholder(name: string, shape: readonly number[], dtype: number): number {
    this.nodes.push({ name, op: 'Placeholder', inputs: [], attrs: { dtype: { type: dtype }, shape: { shape } } });
    return this.add({ ref: `${name}:0`, shape, dtype });
  }

  /** A variable's value as the step begins. */
  readVariable(name: string, shape: readonly number[], dtype: number): number {
    this.nodes.push(
      {
        name: `${name}/handle`,
        op: 'VarHandleOp',
        inputs: [],
        attrs: { dtype: { type: dtype }, shape: { shape }, shared_name: { string: name }, container: { string: '' } },
      },
      { name: `${name}/read`, op: 'ReadVariableOp', inputs: [`${name}/handle:0`], attrs: { dtype: { type: dtype } } },
    );
    return this.add({ ref: `${name}/read:0`, shape, dtype });
  }

  /** Gives a variable its next value once `after` has run; one that is fed is copied, its memory being JavaScript's. */
  assignVariable(name: string, variable: string, value: number, after: string): void {
    const { ref, dtype } = this.settled(this.at(value));
    const isFed = ref.startsWith('input/');
    const owned = isFed ? this.addNode('DeepCopy', [ref], { T: { type: dtype } }) : ref;
    const inputs = [`${variable}/handle:0`, owned, `^${after}`];
    this.nodes.push({ name, op: 'AssignVariableOp', inputs, attrs: { dtype: { type: dtype } } });
  }

  /** Changes variables in place once `after` has run; the inputs are those that follow the variables. */
  updateVariables(
    name: string,
    op: string,
    variables: readonly string[],
    inputs: readonly number[],
    after: readonly string[],
  ): void {
    const values = inputs.map((id) => this.settled(this.at(id)));
    const dtype = values[0]?.dtype ?? DT_FLOAT;
    const refs = [...variables.map((variable) => `${variable}/handle:0`), ...values.map(({ ref }) => ref)];
    this.nodes.push({ name, op, inputs: [...refs, ...after.map((node) => `^${node}`)], attrs: { T: { type: dtype } } });
  }

  /** The value that a variable has once `after` has run. */
  readAgain(name: string, variable: string, like: number, after: string): number {
    const { shape, dtype } = this.at(like);
    const inputs = [`${variable}/handle:0`, `^${after}`];
    this.nodes.push({ name, op: 'ReadVariableOp', inputs, attrs: { dtype: { type: dtype } } });
    return this.add({ ref: `${name}:0`, shape, dtype });
  }

  /** Values of a tensor that was there before the step. */
  valuesOutside(id: number): ArrayBufferView {
    return this.real.tensorDataSync(id);
  }

  /** A tensor whose values are the same in every run; equal ones share a node, uniform ones are filled in by the graph. */
  constant({ shape, dtype, values }: ConstantTensor): number {
    const isUniform = values.length > SMALL && values.every((value) => value === values[0]);
    const kept = isUniform ? values.slice(0, 1) : values;
    const key = kept.length > COMPARED ? undefined : `${dtype};${shape.join()};${isUniform};${kept.join()}`;
    const known = key === undefined ? undefined : this.constants.get(key);
    if (known !== undefined) return known;
    const ref = isUniform ? this.fill(shape, dtype, kept) : this.constantNode({ shape, dtype, values });
    const isKnown = dtype === DT_INT32 || values.length <= COMPARED;
    const id = this.add({ ref, shape, dtype, ...(isKnown && { constant: values }) });
    if (key !== undefined) this.constants.set(key, id);
    return id;
  }

  constantRef(tensor: ConstantTensor): string {
    return this.at(this.constant(tensor)).ref;
  }

  shapeOf(ref: string): readonly number[] | undefined {
    return this.tensors.get(ref)?.shape;
  }

  nodeOf(ref: string): GraphNode | undefined {
    return this.nodesByName.get(nodeNameOf(ref));
  }

  private constantNode(tensor: ConstantTensor): string {
    this.constantBytes += tensor.values.byteLength;
    return this.addNode('Const', [], { dtype: { type: tensor.dtype }, value: { tensor } });
  }

  private fill(shape: readonly number[], dtype: number, value: ConstantTensor['values']): string {
    const dims = this.constantNode({ shape: [shape.length], dtype: DT_INT32, values: Int32Array.from(shape) });
    const scalar = this.constantNode({ shape: [], dtype, values: value });
    return this.addNode('Fill', [dims, scalar], { T: { type: dtype }, index_type: { type: DT_INT32 } });
  }

  private deleteTensor(id: number): void {
    if (!this.isRecorded(id)) this.real.deleteTensor(id);
  }

  private execute(op: string, attributes: readonly OpAttribute[], ids: number[], outputs: number): TensorMetadata[] {
    const isOutside = this.isPortable && !ids.some((id) => this.isRecorded(id));
    if (isOutside) return this.real.executeOp(op, attributes, ids, outputs);
    if (DYNAMIC_SHAPES.has(op)) this.fail(`${op} gives a tensor whose shape depends on values`);
    const tensors = ids.map((id) => this.at(id));
    const results = viewOnly(op, attributes, tensors) ?? this.operation(op, attributes, tensors, outputs);
    return results.map((result) => ({ id: this.add(result), shape: [...result.shape], dtype: result.dtype }));
  }

  /** A tensor's value for operations that run only once another tensor is there, which makes them nodes of their own. */
  private identityAfter(id: number, other: number): TensorMetadata {
    const { ref, shape, dtype } = this.settled(this.at(id));
    const after = `^${nodeNameOf(this.at(other).ref)}`;
    const node = this.addNode('Identity', [ref, after], { T: { type: dtype } });
    return { id: this.add({ ref: node, shape, dtype }), shape: [...shape], dtype };
  }

  private reduceOverWorkers(id: number, how: 'sum' | 'mean'): TensorMetadata {
    if (this.collectives === undefined) return this.fail('a step of one process sums over others');
    const tensor = this.at(id);
    const { shape, dtype } = tensor;
    const vector = [shape.reduce((size, length) => size * length, 1)];
    const ref = this.collectives.reduce(this.settled(viewAs(tensor, vector)), how);
    this.tensors.set(ref, { shape: vector, dtype });
    return { id: this.add(viewAs({ ref, shape: vector, dtype }, shape)), shape: [...shape], dtype };
  }

  private operation(
    op: string,
    attributes: readonly OpAttribute[],
    tensors: readonly SymbolicTensor[],
    outputs: number,
  ): SymbolicTensor[] {
    const views = elementwiseView(op, tensors);
    const inputs = (views?.inputs ?? tensors).map((tensor) => this.settled(tensor));
    const attrs = { ...inferredAttrs(op, inputs), ...this.attrs(attributes) };
    const shapes = outputsWithoutRunning(op, attrs, inputs) ?? this.outputsByRunning(op, attributes, inputs, outputs);
    const refs = this.addOperation(op, attrs, inputs);
    return shapes.map(({ shape, dtype }, index): SymbolicTensor => {
      const tensor = { ref: refs(index), shape, dtype };
      return views === null ? tensor : viewAs(tensor, views.shape);
    });
  }

  /** The tensor after the reshape that it owes. */
  settled(tensor: SymbolicTensor): SymbolicTensor {
    if (tensor.owed === undefined) return tensor;
    const { ref, shape, dtype } = tensor;
    const size = this.at(this.constant({ shape: [shape.length], dtype: DT_INT32, values: Int32Array.from(shape) }));
    const attrs = { T: { type: dtype }, Tshape: { type: DT_INT32 } };
    const reshaped = this.addNode('Reshape', [ref, size.ref], attrs);
    this.tensors.set(reshaped, { shape, dtype });
    return { ref: reshaped, shape, dtype };
  }

  /** A tensor to be fetched, which one that is fed cannot be. */
  output(id: number): TensorSignature {
    const { ref, shape, dtype } = this.settled(this.at(id));
    const isFed = ref.startsWith('input/');
    return { ref: isFed ? this.addNode('Identity', [ref], { T: { type: dtype } }) : ref, shape, dtype };
  }

  /** Runs the operation once on tensors of the right shapes that hold nothing, to see what comes out. */
  private outputsByRunning(
    op: string,
    attributes: readonly OpAttribute[],
    inputs: readonly SymbolicTensor[],
    outputs: number,
  ): Pick<SymbolicTensor, 'shape' | 'dtype'>[] {
    const standIns = inputs.map((input) => this.standIn(input));
    try {
      const results = this.real.executeOp(op, attributes, standIns, outputs);
      for (const { id } of results) this.real.deleteTensor(id);
      return results.map(({ shape, dtype }) => ({ shape, dtype }));
    } finally {
      for (const id of standIns) this.real.deleteTensor(id);
    }
  }

  private standIn({ shape, dtype, constant }: SymbolicTensor): number {
    if (constant !== undefined) return this.real.createTensor([...shape], dtype, constant);
    const dims = this.real.createTensor([shape.length], DT_INT32, Int32Array.from(shape));
    const zero = this.real.createTensor([], dtype, zeroOf(dtype));
    const attrs = [
      { name: 'T', type: this.real.TF_ATTR_TYPE, value: dtype },
      { name: 'index_type', type: this.real.TF_ATTR_TYPE, value: DT_INT32 },
    ];
    const [filled] = this.real.executeOp('Fill', attrs, [dims, zero], 1);
    this.real.deleteTensor(dims);
    this.real.deleteTensor(zero);
    return (filled as TensorMetadata).id;
  }

  /** Adds the node, in half width where that is asked for, and says where output `i` is found. */
  private addOperation(
    op: string,
    attrs: Readonly<Record<string, AttrValue>>,
    inputs: readonly SymbolicTensor[],
  ): (output: number) => string {
    const half = inHalfWidth(this, this.options.precision, op, attrs, inputs);
    if (half !== null) return () => half;
    const rewritten = this.isPortable ? null : rewrite(this, op, attrs, inputs);
    if (rewritten !== null) return () => rewritten;
    const node = this.addNode(op, refsOf(inputs), attrs).slice(0, -2);
    return (output) => `${node}:${output}`;
  }

  /** Adds a node, or finds the same one that is there already. */
  addNode(op: string, inputs: readonly string[], attrs: Readonly<Record<string, AttrValue>>): string {
    const key = UNIQUE.test(op) ? undefined : `${op}(${inputs.join()})${JSON.stringify(attrs)}`;
    const known = key === undefined ? undefined : this.known.get(key);
    if (known !== undefined) return known;
    const count = this.opNames.get(op) ?? 0;
    this.opNames.set(op, count + 1);
    const name = this.inStep(`${op}_${count}`);
    const ref = `${name}:0`;
    const node = { name, op, inputs, attrs: DRAWS.test(op) ? { ...attrs, ...NOT_BY_XLA } : attrs };
    this.nodes.push(node);
    this.nodesByName.set(node.name, node);
    if (key !== undefined) this.known.set(key, ref);
    return ref;
  }

  private add(tensor: SymbolicTensor): number {
    const { ref, shape, owed = shape, dtype } = tensor;
    this.tensors.set(ref, { shape: owed, dtype });
    return FIRST_ID + this.recorded.push(tensor) - 1;
  }

  private attrs(attributes: readonly OpAttribute[]): Record<string, AttrValue> {
    return Object.fromEntries(attributes.map(({ name, type, value }) => [name, this.attr(name, type, value)]));
  }

  private attr(name: string, type: number, value: unknown): AttrValue {
    const { real } = this;
    switch (type) {
      case real.TF_ATTR_TYPE:
        return { type: value as number };
      case real.TF_ATTR_BOOL:
        return { bool: value as boolean };
      case real.TF_ATTR_STRING:
        return { string: value as string };
      case real.TF_ATTR_INT:
        return Array.isArray(value) ? { ints: value } : { int: value as number };
      case real.TF_ATTR_FLOAT:
        return Array.isArray(value) ? { floats: value } : { float: value as number };
      case real.TF_ATTR_SHAPE:
        return { shape: value as number[] };
      default:
        return this.fail(`attribute ${name} of kind ${type}`);
    }
  }
}

/** tf.Tensor's dtype as TensorFlow's number. */
export function dataTypeOf(binding: EngineBinding, dtype: tf.DataType): number {
  const numbers: Partial<Record<tf.DataType, number>> = {
    float32: binding.TF_FLOAT,
    int32: binding.TF_INT32,
    bool: binding.TF_BOOL,
  };
  const number = numbers[dtype];
  if (number === undefined) throw new TypeError(`compile: expected float32, int32 or bool tensors, received ${dtype}`);
  return number;
}

function inferredAttrs(op: string, inputs: readonly SymbolicTensor[]): Record<string, AttrValue> {
  const attrs: Record<string, AttrValue> = {};
  let position = 0;
  for (const word of inputTypes(op) ?? []) {
    const [count, type] = word.includes('*') ? (word.split('*') as [string, string]) : [undefined, word];
    const dtype = inputs[position]?.dtype;
    if (dtype !== undefined && type !== '-' && type !== '') attrs[type] = { type: dtype };
    if (count !== undefined) {
      const length = inputs.length - ((inputTypes(op) as string[]).length - 1);
      attrs[count] = { int: length };
      position += length;
    } else position += 1;
  }
  return attrs;
}

function refsOf(inputs: readonly SymbolicTensor[]): string[] {
  return inputs.map(({ ref }) => ref);
}

function zeroOf(dtype: number): ConstantTensor['values'] {
  if (dtype === DT_FLOAT) return new Float32Array(1);
  return dtype === DT_INT32 ? new Int32Array(1) : new Uint8Array(1);
}
