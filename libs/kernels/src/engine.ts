/**
 * The one contract with an engine's binding: what kernels, recording and sessions reach into of TensorFlow.js's native
 * backend, whose own types keep it private. Importers need Node; everything else of this package runs in browsers too.
 */
import * as tf from '@tensorflow/tfjs-core';

export { RuntimeError } from './runtime-error';
export { replaceKernels, typedCall, type KernelCall, type KernelReplacement } from './replace-kernels';

/**
 * A kernel that an engine may register with TensorFlow.js: costs float32 [N, R, C], rows bool [N, R] and columns bool [N, C] that
 * take part, to the column of each row, int32 [N, R], and the row of each column, int32 [N, C].
 */
export const LINEAR_SUM_ASSIGNMENT = 'LinearSumAssignment';

/** A tensor that an operation gave. */
export interface TensorMetadata {
  /** The addon's own number of it. */
  readonly id: number;
  readonly shape: number[];
  /** A number of `enum DataType` in TensorFlow's types.proto. */
  readonly dtype: number;
}

/** One attribute of a TensorFlow operation. */
export interface OpAttribute {
  readonly name: string;
  readonly type: number;
  readonly value: boolean | number | object | string | readonly number[];
}

/** The functions of tfjs-node's addon. Tensor ids are the addon's own; the caller deletes what it creates. */
export interface EngineBinding {
  readonly TF_Version: string;
  readonly TF_FLOAT: number;
  readonly TF_INT32: number;
  readonly TF_INT64: number;
  readonly TF_BOOL: number;
  readonly TF_COMPLEX64: number;
  readonly TF_STRING: number;
  readonly TF_RESOURCE: number;
  readonly TF_UINT8: number;
  readonly TF_ATTR_STRING: number;
  readonly TF_ATTR_INT: number;
  readonly TF_ATTR_FLOAT: number;
  readonly TF_ATTR_BOOL: number;
  readonly TF_ATTR_TYPE: number;
  readonly TF_ATTR_SHAPE: number;
  readonly TF_ATTR_RESOURCE: number;
  createTensor(shape: number[], dtype: number, values: ArrayBufferView | readonly unknown[]): number;
  deleteTensor(id: number): void;
  tensorDataSync(id: number): Float32Array | Int32Array | Uint8Array;
  executeOp(name: string, attributes: readonly OpAttribute[], inputIds: number[], outputs: number): TensorMetadata[];
  loadSavedModel(folder: string, tags: string): number;
  getNumOfTensors(): number;
  isUsingGpuDevice(): boolean;
  /** There while a graph is recorded. */
  readonly recording?: RecordingBinding;
  /** What runs graphs; absent where it could not be compiled. */
  readonly sessions?: SessionAddon;
}

/** The addon that runs graphs in sessions of TensorFlow. */
export interface SessionAddon {
  /** Threads that runs use in place of TensorFlow's own; 0 on cards. */
  readonly threads: number;
  /** Where graphs are kept as TensorFlow has rewritten them. */
  readonly rewritten: RewrittenGraphsPlace;
  /**
   * Opens a session with a graph in it.
   * @throws Error in one line, such as that the graph has an operation that TensorFlow does not know.
   */
  readonly Session: new (options: SessionOptions) => NativeSession;
  /**
   * Starts a server of TensorFlow, which runs as long as the process.
   * @param definition a ServerDef.
   * @returns its address for sessions.
   * @throws Error in one line, such as that the port is taken.
   */
  startServer(definition: Uint8Array): string;
  /** Gives the system what this process holds unused: of its heap, and of the code of TensorFlow. */
  trimHeap(): void;
}

export interface RewrittenGraphsPlace {
  readonly folder: string;
  /** Names TensorFlow, this addon and the machine: whatever decides, besides a graph, what TensorFlow makes of it. */
  readonly engine: string;
}

export interface SessionOptions {
  /** A ConfigProto. */
  readonly config: Uint8Array;
  /** Address of a TensorFlow server, or empty for a session of this process. */
  readonly target: string;
  /** A GraphDef. */
  readonly graph: Uint8Array;
  readonly threads: number;
}

interface NativeRun {
  readonly feeds: string[];
  readonly fetches: string[];
  readonly targets: string[];
  readonly traced: boolean;
  /** Whether the first time that it runs it tells how TensorFlow has rewritten its graph. */
  readonly rewritten: boolean;
}

/** A graph in a session; every function throws an Error in one line. */
export interface NativeSession {
  /** Finds the nodes of a run; returns its number. Feeds and fetches are `node:output`, targets are nodes. */
  prepare(run: NativeRun): number;
  /**
   * Runs what was prepared.
   * @param feeds values, or undefined for the next tensor that the operation `PyramidalToSession` was given.
   * @param valuesUpTo bytes up to which an output is given as values; undefined stands for the larger ones, and
   * `PyramidalFromSession` gives them in order.
   */
  run(number: number, feeds: (TensorValues | undefined)[], valuesUpTo: number): RunResult;
  /** Frees the graph and its variables. */
  close(): void;
}

export type TensorValues = Float32Array | Int32Array | Uint8Array;

export interface RunResult {
  readonly outputs: (TensorValues | undefined)[];
  /** Of a traced run. */
  readonly trace?: readonly TraceEntry[];
  /** Of a run that tells it, where TensorFlow has made one graph of it. */
  readonly rewritten?: RewrittenGraph;
}

/** A graph of one run that needs no more rewriting. */
export interface RewrittenGraph {
  /** A GraphDef, with the placeholders of the graph that it was made of. */
  readonly graph: Uint8Array;
  /** Where it gives what the run fetches, as `node:output`. */
  readonly fetches: readonly string[];
}

/** When an operation ran, in microseconds. */
export interface TraceEntry {
  readonly device: string;
  readonly node: string;
  /** `[device] node = Operation(inputs)`. */
  readonly label: string;
  readonly thread: number;
  readonly start: number;
  readonly duration: number;
}

/** What kernels may ask of the graph that is recorded. */
export interface RecordingBinding {
  /** Whether other engines are to run the graph, so that it holds TensorFlow.js's own operations only. */
  readonly isPortable: boolean;
  /** Whether the graph leaves this process, so that it holds no operations of this project's addon. */
  readonly isExported: boolean;
  /** Whether products and convolutions are in float32, as everything else is. */
  readonly isFloat32: boolean;
  /** Whether the graph's optimizer knows layer norm as one operation. */
  readonly fusesLayerNorm: boolean;
  /** Runs `work`; the names of what is recorded meanwhile begin with the scope, of several with the innermost. */
  inScope<T>(scope: string, work: () => T): T;
  /** Tensor `id` for operations that come after tensor `other`. */
  identityAfter(id: number, other: number): TensorMetadata;
  /** How many processes run the step together. */
  readonly workers: number;
  /** The sum or the mean of tensor `id`, float32, over them. */
  reduceOverWorkers(id: number, how: 'sum' | 'mean'): TensorMetadata;
}

/** What tfjs-node keeps per tensor. */
export interface TensorRecord {
  readonly shape: number[];
  readonly dtype: number;
  /** Values that are not handed over to the addon yet. */
  values: tf.backend_util.BackendValues | null;
  /** The addon's number of the value, or `NO_ID` while the addon does not have it. */
  id: number;
  refCount: number;
  /** Where the value lives, if that is outside the addon. */
  home?: ValueHome | undefined;
}

/** tfjs-node's own number for a value that its addon does not have. */
export const NO_ID = -1;

/** Keeps values of tensors outside the addon, as sessions do with their variables. */
export interface ValueHome {
  /** Counts up with every change of the values in it, over all homes of the process. */
  readonly time: number;
  /** Gives the addon the value of now, and the record its id. */
  fetch(record: TensorRecord): void;
}

/** tfjs-node's backend. */
export interface EngineBackend {
  binding: EngineBinding;
  readonly tensorMap: { get(dataId: object): TensorRecord | undefined; has(dataId: object): boolean };
  getInputTensorIds(tensors: tf.TensorInfo[]): number[];
  createOutputTensor(metadata: TensorMetadata): tf.Tensor;
  executeSingleOutput(name: string, attributes: OpAttribute[], inputs: tf.Tensor[]): tf.Tensor;
  executeMultipleOutputs(name: string, attributes: OpAttribute[], inputs: tf.Tensor[], outputs: number): tf.Tensor[];
  readSync(dataId: object): tf.backend_util.BackendValues;
  read(dataId: object): Promise<tf.backend_util.BackendValues>;
}

/** The name under which tfjs-node's kernels look their backend up. */
export const NATIVE_BACKEND = 'tensorflow';

/** The active engine's backend if it is TensorFlow's, else null. */
export function engineBackend(): EngineBackend | null {
  // Here, and where it is made, the private parts of tfjs-node's backend get a type.
  return tf.getBackend() === NATIVE_BACKEND ? (tf.backend() as unknown as EngineBackend) : null;
}
