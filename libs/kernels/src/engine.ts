/**
 * The one contract with an engine's binding: what kernels, recording and sessions reach into of TensorFlow.js's native
 * backend, whose own types keep it private. Importers need Node; everything else of this package runs in browsers too.
 */
import * as tf from '@tensorflow/tfjs-core';

export { RuntimeError } from './runtime-error';

/** A tensor that an operation gave. */
export interface TensorMetadata {
  /** The addon's own number of it. */
  readonly id: number;
  readonly shape: number[];
  /** Of `enum DataType` in TensorFlow's types.proto. */
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
  /** @param tags comma-separated; returns the id of the loaded model. */
  loadSavedModel(folder: string, tags: string): number;
  deleteSavedModel(id: number): void;
  /** @param inputNames comma-separated `node:index`, in the order of the ids; likewise `outputNames`. */
  runSavedModel(id: number, inputIds: number[], inputNames: string, outputNames: string): TensorMetadata[];
  getNumOfSavedModels(): number;
  getNumOfTensors(): number;
  isUsingGpuDevice(): boolean;
  /** There while a graph is recorded. */
  readonly recording?: RecordingBinding;
}

/** What kernels may ask of the graph that is recorded. */
export interface RecordingBinding {
  /** Whether other engines are to run the graph, so that it holds TensorFlow.js's own operations only. */
  readonly isPortable: boolean;
  /** Whether the graph's optimizer knows layer norm as one operation. */
  readonly fusesLayerNorm: boolean;
  /** Tensor `id` for operations that come after tensor `other`. */
  identityAfter(id: number, other: number): TensorMetadata;
}

/** What tfjs-node keeps per tensor: `id` is the addon's; `values` are those not yet handed over to it. */
export interface TensorRecord {
  readonly shape: number[];
  readonly dtype: number;
  values: tf.backend_util.BackendValues | null;
  id: number;
  refCount: number;
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
  // The only place where the private parts of tfjs-node's backend get a type.
  return tf.getBackend() === NATIVE_BACKEND ? (tf.backend() as unknown as EngineBackend) : null;
}
