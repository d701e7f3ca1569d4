/** Records a step: one eager call with tensors that have shapes and no values becomes a graph. */
import * as tf from '@tensorflow/tfjs-core';
import { type EngineBackend } from '@pyramidal/kernels/engine';
import { giveOwnValue, idOfValue, infoOf } from './tensor-record';
import { type ConstantTensor, type GraphNode, type TensorSignature, type TensorType } from './graph-def';
import { absorb } from './absorb';
import { addWithinNorms } from './added-norm';
import { GraphBuilder, dataTypeOf, type RecordOptions } from './graph-builder';
import { type TensorTree, flatten, inTidy, mapTree } from './tensor-tree';

/** A tf.Variable that the step uses; it lives in the session under `node`. */
export interface RecordedVariable {
  /** The tf.Variable's name. */
  readonly name: string;
  readonly node: string;
  readonly shape: readonly number[];
  readonly dtype: number;
  /** Whether the step gives it a new value. */
  readonly assigned: boolean;
}

/** A step as a graph, with everything needed to run it but the values of its variables. */
export interface StepGraph {
  readonly nodes: readonly GraphNode[];
  readonly inputs: Readonly<Record<string, TensorSignature>>;
  readonly outputs: Readonly<Record<string, TensorSignature>>;
  readonly variables: readonly RecordedVariable[];
  /** Shapes and types of what the nodes give, by `node:output`. */
  readonly tensors: ReadonlyMap<string, TensorType>;
  readonly constantBytes: number;
  readonly recordMs: number;
}

/** The node that has run once every assignment of the step has. */
export const STEP_DONE = 'step/done';

/**
 * Runs `fn` once with tensors that have shapes and no values, and returns the graph of what it did. Variables keep the
 * values that they had.
 * @throws RecordingError if `fn` reads values, draws random numbers in JavaScript, keeps tensors or makes variables.
 */
export function record<I extends TensorTree, O extends TensorTree>(
  backend: EngineBackend,
  fn: (inputs: I) => O,
  inputs: I,
  options: RecordOptions,
): StepGraph {
  const start = performance.now();
  const builder = new GraphBuilder(backend.binding, options);
  const variables = Object.values(tf.engine().registeredVariables);
  for (const variable of variables) giveOwnValue(backend, variable);
  const before = variables.map((variable) => tf.clone(variable));
  const tensorsBefore = tf.memory().numTensors;
  const tracker = new TensorTracker(backend, builder, variables);
  const restore = takeOver(backend, builder, tracker);
  try {
    const recorded = inTidy(() => {
      const standIns = mapTree(inputs, (input, path) => tracker.standIn(input, path)) as I;
      const result = fn(standIns);
      if (result instanceof Promise) builder.fail('a Promise is returned');
      const outputs = Object.fromEntries(
        [...flatten(result)].map(([path, tensor]) => [path, builder.output(tracker.idOf(tensor))]),
      );
      return { outputs, variables: tracker.finishVariables() };
    });
    if (Object.keys(tf.engine().registeredVariables).length !== variables.length) builder.fail('variables are made');
    variables.forEach((variable, i) => variable.assign(before[i] as tf.Tensor));
    const kept = tf.memory().numTensors - tensorsBefore;
    if (kept !== 0) builder.fail(`${kept} more tensors are kept than before`);
    const absorbed = absorb({
      nodes: builder.nodes,
      outputs: Object.values(recorded.outputs).map(({ ref }) => ref),
    });
    const { nodes, refOf } = addWithinNorms({ nodes: absorbed.nodes, tensors: builder.tensors });
    return {
      ...recorded,
      outputs: Object.fromEntries(
        Object.entries(recorded.outputs).map(([path, output]) => [
          path,
          { ...output, ref: refOf(absorbed.refOf(output.ref)) },
        ]),
      ),
      nodes,
      inputs: tracker.inputs,
      tensors: builder.tensors,
      constantBytes: builder.constantBytes,
      recordMs: performance.now() - start,
    };
  } finally {
    variables.forEach((variable, i) => variable.assign(before[i] as tf.Tensor));
    restore();
    tf.dispose(before);
  }
}

/** A variable while it is recorded; `node` and `id` are there once the step has read it. */
interface Slot {
  readonly variable: tf.Variable;
  /** The variable's value as the step begins, and the one that is in the session at this point of it. */
  readonly initial: object;
  stored: object;
  node?: string;
  id?: number;
  /** The last node that read or wrote the variable, and how many have written it. */
  last?: string;
  writes: number;
}

let active: TensorTracker | null = null;

/** What is being recorded, for kernels that have another form there. */
export function activeRecording(): TensorTracker | null {
  return active;
}

/** Knows which tensors are inputs, variables, results and constants while a step is recorded. */
export class TensorTracker {
  readonly inputs: Record<string, TensorSignature> = {};
  private readonly constants = new WeakMap<object, number>();
  private readonly slots: readonly Slot[];
  private readonly byValue: ReadonlyMap<object, Slot>;
  private readonly byVariable: ReadonlyMap<tf.Variable, Slot>;
  private readonly used: Slot[] = [];

  constructor(
    private readonly backend: EngineBackend,
    private readonly builder: GraphBuilder,
    variables: readonly tf.Variable[],
  ) {
    this.slots = variables.map((variable) => {
      const { dataId } = variable;
      return { variable, initial: dataId, stored: dataId, writes: 0 };
    });
    this.byValue = new Map(this.slots.map((slot) => [slot.initial, slot]));
    this.byVariable = new Map(this.slots.map((slot) => [slot.variable, slot]));
  }

  /** The tensor that stands for an input in the step: of the same shape and dtype, without values. */
  standIn(input: tf.Tensor, path: string): tf.Tensor {
    const dtype = dataTypeOf(this.backend.binding, input.dtype);
    const id = this.builder.placeholder(`input/${Object.keys(this.inputs).length}`, input.shape, dtype);
    this.inputs[path] = this.builder.at(id);
    return this.backend.createOutputTensor({ id, shape: input.shape, dtype });
  }

  /** The node that gives a tensor of any shape: a recorded one, a variable's value, or a constant made for it. */
  idOf(tensor: tf.TensorInfo): number {
    if (tensor.dataId === undefined) this.builder.fail('a 64-bit integer is used');
    const slot = this.byValue.get(tensor.dataId);
    if (slot !== undefined) return this.read(slot).id;
    const info = infoOf(this.backend, tensor);
    if (info.values === null && this.builder.isRecorded(info.id)) return info.id;
    const known = this.constants.get(tensor.dataId);
    if (known !== undefined) return known;
    const values = (info.values ?? this.builder.valuesOutside(idOfValue(info))) as ConstantTensor['values'];
    const id = this.builder.constant({ shape: tensor.shape, dtype: info.dtype, values });
    this.constants.set(tensor.dataId, id);
    return id;
  }

  /** Whether the tensor depends on no input: a variable, a constant or what was computed of them at once. */
  isKnown(dataId: object): boolean {
    const info = this.backend.tensorMap.get(dataId);
    return info !== undefined && (info.values !== null || !this.builder.isRecorded(info.id));
  }

  isConstant(dataId: object): boolean {
    return !this.byValue.has(dataId) && this.isKnown(dataId);
  }

  /**
   * Runs an operation such as `ResourceApplyAdam` that changes float32 variables in place.
   * @param inputs what the operation takes after the variables, in any shape that it takes.
   */
  updateInPlace(op: string, variables: readonly tf.Variable[], inputs: readonly tf.Tensor[]): void {
    const slots = variables.map((variable) => this.stored(variable));
    const nodes = slots.map(({ node }) => node);
    const [first] = slots;
    if (first === undefined) return;
    const name = this.builder.inStep(`${first.node}/update_${first.writes}`);
    const ids = inputs.map((input) => this.idOf(input));
    this.builder.updateVariables(
      name,
      op,
      nodes,
      ids,
      slots.map(({ last }) => last),
    );
    for (const slot of slots) {
      const id = this.builder.readAgain(`${slot.node}/read_${++slot.writes}`, slot.node, slot.id, name);
      const { shape, dtype } = this.builder.at(id);
      const tensor = this.backend.createOutputTensor({ id, shape: [...shape], dtype });
      slot.variable.assign(tensor);
      Object.assign(slot, { stored: tensor.dataId, last: name });
    }
  }

  /** Ends the step: every variable that has a new value is stored. */
  finishVariables(): RecordedVariable[] {
    const changed = this.slots.filter(({ variable, initial }) => variable.dataId !== initial);
    const written = changed.map(({ variable }) => this.stored(variable).last);
    this.builder.nodes.push(doneNode(STEP_DONE, [...new Set(written)]));
    return this.used.map((slot) => {
      const { node, variable } = this.read(slot);
      const { name, shape } = variable;
      const dtype = dataTypeOf(this.backend.binding, variable.dtype);
      return { name, node, shape, dtype, assigned: changed.includes(slot) };
    });
  }

  /** Makes sure that the session has the variable's value of this point. */
  private stored(variable: tf.Variable): Required<Slot> {
    const slot = this.byVariable.get(variable);
    if (slot === undefined) return this.builder.fail(`variable '${variable.name}' is made within the step`);
    const { node, last, stored, writes } = this.read(slot);
    if (variable.dataId !== stored) {
      const name = this.builder.inStep(`${node}/assign_${writes}`);
      this.builder.assignVariable(name, node, this.idOf(variable), last);
      Object.assign(slot, { stored: variable.dataId, last: name, writes: writes + 1 });
    }
    return slot as Required<Slot>;
  }

  private read(slot: Slot): Required<Slot> {
    if (slot.id === undefined) {
      const { shape, dtype } = slot.variable;
      slot.node = `variable/${this.used.push(slot) - 1}`;
      slot.id = this.builder.readVariable(slot.node, shape, dataTypeOf(this.backend.binding, dtype));
      slot.last = `${slot.node}/read`;
    }
    return slot as Required<Slot>;
  }
}

/** A node that does nothing once the named ones have run. */
export function doneNode(name: string, after: readonly string[]): GraphNode {
  return { name, op: 'NoOp', inputs: after.map((node) => `^${node}`), attrs: {} };
}

/** Puts the builder between TensorFlow.js and the engine; returns the way back. */
function takeOver(backend: EngineBackend, builder: GraphBuilder, tracker: TensorTracker): () => void {
  const { binding } = backend;
  const { random } = Math;
  const getInputTensorIds = backend.getInputTensorIds.bind(backend);
  const readSync = backend.readSync.bind(backend);
  const read = (dataId: object): tf.backend_util.BackendValues =>
    tracker.isConstant(dataId) ? readSync(dataId) : builder.fail('values of a tensor are read');
  backend.binding = builder.binding();
  backend.getInputTensorIds = (tensors) =>
    builder.isPortable && tensors.every(({ dataId }) => tracker.isKnown(dataId))
      ? getInputTensorIds(tensors)
      : tensors.map((tensor) => tracker.idOf(tensor));
  backend.readSync = read;
  backend.read = (dataId) => Promise.resolve(read(dataId));
  active = tracker;
  Math.random = () => builder.fail('a random number is drawn in JavaScript');
  return () => {
    backend.binding = binding;
    const own = backend as Partial<EngineBackend>;
    delete own.getInputTensorIds;
    delete own.readSync;
    delete own.read;
    active = null;
    Math.random = random;
  };
}
