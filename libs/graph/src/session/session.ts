/** A graph with the variables that live in it. */
import * as tf from '@tensorflow/tfjs-core';
import { NO_ID, type EngineBackend, type TensorRecord, type ValueHome } from '@pyramidal/kernels/engine';
import { giveOwnValue, infoOf } from '../record/tensor-record';
import { collectGarbage } from './collect-garbage';
import type { RecordedVariable } from '../record/record';
import type { GraphSession, PreparedRun } from './graph-session';
import { openStep, type OpenedStep } from './open-step';
import type { RunnableGraph } from './runnable-graph';
import type { SessionConfig } from './session-config';
import { activeTrace } from './trace';
import { feedOf, valueOf, VARIABLES_SET } from './variable-nodes';

/** Counts runs of all sessions, so that every change of a value has a time of its own. */
let clock = 0;

/** When a value that no session holds any more was handed back. */
const handedBackAt = new WeakMap<TensorRecord, number>();

/** Bytes of typed arrays that are no longer used and not freed yet. */
const MOST_GARBAGE = 16 * 2 ** 20;

/** Records whose memory belongs to TensorFlow, not to a typed array, so that sessions may share it. */
const ownedByEngine = new WeakSet<TensorRecord>();

/** A variable of the graph and the tf.Variable that it stands for. */
interface Slot {
  readonly variable: tf.Variable;
  readonly recorded: RecordedVariable;
  /** The variable's value when the session last had it, and the time of that value. */
  info: TensorRecord | null;
  dataId: object | null;
  time: number;
}

/**
 * A loaded graph. Variables that it changes live in it: the engine fetches their value when something outside asks for
 * it, and a variable that was changed outside is handed over before the next run. Nothing needs to be synchronised by
 * hand.
 */
export class Session implements ValueHome {
  private readonly opened: OpenedStep;
  private readonly session: GraphSession;
  /** The step, telling when what ran; prepared when that is asked for. */
  private traced: PreparedRun | null = null;
  private readonly set: PreparedRun;
  /** Gives the variables that the step changes; prepared when one is asked for. */
  private read: PreparedRun | null = null;
  private readonly slots: readonly Slot[];
  private readonly inputs: readonly string[];
  private readonly outputs: readonly string[];
  /** When the values that live here last changed. */
  time = 0;

  /** @throws Error if a variable of the graph is gone or has another shape. */
  constructor(
    private readonly backend: EngineBackend,
    runnable: RunnableGraph,
    config: SessionConfig = {},
  ) {
    const { inputs, outputs, variables } = runnable.contract;
    this.slots = variables.map((recorded) => {
      const { name, shape } = recorded;
      const variable = tf.engine().registeredVariables[name];
      if (variable === undefined || !tf.util.arraysEqual(variable.shape, [...shape])) {
        const found = variable === undefined ? 'none' : `[${variable.shape.join()}]`;
        throw new Error(`compiled step: expected variable '${name}' of shape [${shape.join()}], found ${found}`);
      }
      return { variable, recorded, info: null, dataId: null, time: 0 };
    });
    this.inputs = Object.keys(inputs);
    this.outputs = Object.keys(outputs);
    this.opened = openStep(backend, runnable, config);
    this.session = this.opened.session;
    this.set = this.session.prepare({
      feeds: variables.map(feedOf),
      targets: [VARIABLES_SET],
    });
  }

  /**
   * Feeds the inputs by path, in the shapes that were recorded, runs the step, and returns its outputs by path; the caller
   * disposes of them.
   */
  run(inputs: ReadonlyMap<string, tf.Tensor>): [path: string, tensor: tf.Tensor][] {
    this.takeVariables();
    const feeds = this.inputs.map((path) => inputs.get(path) as tf.Tensor);
    this.dropFetched();
    const outputs = this.runStep(feeds);
    this.dropFetched();
    this.time = ++clock;
    return outputs.map((output, i) => [this.outputs[i] as string, output]);
  }

  private runStep(feeds: readonly tf.Tensor[]): tf.Tensor[] {
    const entries = activeTrace();
    if (entries === null) return this.opened.run(feeds);
    this.traced ??= this.session.prepare({ ...this.opened.names, traced: true });
    const { outputs, trace = [] } = this.session.run(this.traced, feeds);
    for (const entry of trace) entries.push(entry);
    return outputs;
  }

  /** Hands the variables back and frees the graph. */
  dispose(): void {
    for (const slot of this.slots) if (this.holds(slot)) this.handBack(slot);
    this.dropFetched();
    this.session.close();
  }

  /** Brings every variable here whose value is elsewhere or has changed since it was. */
  private takeVariables(): void {
    if (this.slots.every((slot) => this.isCurrent(slot))) return;
    for (const slot of this.slots) this.detachAliases(slot);
    const ids = this.ownIds();
    this.session.runOnIds(
      this.set,
      this.slots.map(({ recorded }, i) => ({ id: ids[i] as number, dtype: recorded.dtype })),
    );
    this.dropFetched();
    const isFirst = this.slots.every(({ info }) => info === null);
    for (const slot of this.slots) this.bind(slot);
    // What recording left, and the values that are now the session's.
    if (isFirst) collectGarbage();
  }

  /** The addon's ids of the variables' values; what JavaScript held of those that are copied goes as they are. */
  private ownIds(): number[] {
    let garbage = 0;
    return this.slots.map(({ variable }) => {
      if (!isEngineOwned(this.backend, variable)) {
        giveToEngine(this.backend, variable);
        garbage += variable.size * 4;
      }
      if (garbage > MOST_GARBAGE) {
        collectGarbage();
        garbage = 0;
      }
      const [id] = this.backend.getInputTensorIds([variable]) as [number];
      return id;
    });
  }

  private isCurrent(slot: Slot): boolean {
    const { variable, dataId, info, recorded } = slot;
    if (info === null || variable.dataId !== dataId) return false;
    if (recorded.assigned) return info.home === this && info.refCount === 1;
    return timeOf(info) === slot.time;
  }

  /** Tensors that share a value which this session is about to change keep the value that it has now. */
  private detachAliases(slot: Slot): void {
    if (!slot.recorded.assigned) return;
    const isOld = slot.dataId !== slot.variable.dataId;
    if (this.holds(slot) && (isOld || (slot.info as TensorRecord).refCount > 1)) this.handBack(slot);
    giveOwnValue(this.backend, slot.variable);
  }

  private bind(slot: Slot): void {
    const info = infoOf(this.backend, slot.variable);
    Object.assign(slot, { info, dataId: slot.variable.dataId, time: timeOf(info) });
    if (!slot.recorded.assigned || info.home === this) return;
    dropId(this.backend, info);
    info.home = this;
  }

  /** Whether the slot's value, still in use, lives here. */
  private holds({ info, dataId }: Slot): boolean {
    return info?.home === this && this.backend.tensorMap.has(dataId as object);
  }

  /** Fetches the record's value; all others that live here come along, without copying. */
  fetch(record: TensorRecord): void {
    const slots = this.slots.filter(({ recorded }) => recorded.assigned);
    this.read ??= this.session.prepare({ fetches: slots.map(({ recorded }) => valueOf(recorded)) });
    this.session.runOnIds(this.read, []).forEach((id, i) => {
      const { info, dataId } = slots[i] as Slot;
      const isAlive = info?.home === this && (info === record || this.backend.tensorMap.has(dataId as object));
      if (isAlive && info.id === NO_ID) info.id = id;
      else this.backend.binding.deleteTensor(id);
    });
  }

  /** Gives the engine the value for good. */
  private handBack(slot: Slot): void {
    const info = slot.info as TensorRecord;
    if (info.id === NO_ID) this.fetch(info);
    info.home = undefined;
    handedBackAt.set(info, ++clock);
    ownedByEngine.add(info);
  }

  /** Frees what was fetched; that of disposed tensors is free already. */
  private dropFetched(): void {
    for (const slot of this.slots) if (this.holds(slot)) dropId(this.backend, slot.info as TensorRecord);
  }
}

/** Frees the addon's value of a record. */
function dropId({ binding }: EngineBackend, info: TensorRecord): void {
  if (info.id !== NO_ID) binding.deleteTensor(info.id);
  info.id = NO_ID;
}

function timeOf(info: TensorRecord): number {
  return info.home?.time ?? handedBackAt.get(info) ?? 0;
}

function isEngineOwned(backend: EngineBackend, variable: tf.Variable): boolean {
  const info = infoOf(backend, variable);
  return info.home !== undefined || ownedByEngine.has(info);
}

/** Moves a variable's value from a typed array to memory that TensorFlow owns. */
function giveToEngine(backend: EngineBackend, variable: tf.Variable): void {
  const { binding } = backend;
  const info = infoOf(backend, variable);
  const [id] = backend.getInputTensorIds([variable]) as [number];
  const attrs = [{ name: 'T', type: binding.TF_ATTR_TYPE, value: info.dtype }];
  const [copy] = binding.executeOp('DeepCopy', attrs, [id], 1);
  binding.deleteTensor(id);
  info.id = (copy as { id: number }).id;
  ownedByEngine.add(info);
}
