import type { NodeJSKernelBackend } from '#tfjs-node/dist/nodejs_kernel_backend.js';
import { RuntimeError } from '../runtime-error';

export interface TensorMetadata {
  readonly id: number;
  readonly shape: number[];
  readonly dtype: number;
}

export interface OpAttribute {
  readonly name: string;
  readonly type: number;
  readonly value: boolean | number | object | string | number[];
}

/** The functions of tfjs-node's addon. Tensor ids are the addon's own; the caller deletes what it creates. */
export interface NativeBinding {
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
}

/** An opened native engine. */
export interface NativeHandle {
  readonly binding: NativeBinding;
  readonly backend: NodeJSKernelBackend;
}

let opened: NativeHandle | undefined;

export function setNativeHandle(handle: NativeHandle): void {
  opened = handle;
}

/** The native engine, or undefined when none has been opened. */
export const nativeHandle = (): NativeHandle | undefined => opened;

/** @throws RuntimeError when no native engine has been opened. */
export const nativeBinding = (): NativeBinding => required().binding;

/** @throws RuntimeError when no native engine has been opened. */
export const nativeBackend = (): NodeJSKernelBackend => required().backend;

function required(): NativeHandle {
  if (opened) return opened;
  throw new RuntimeError("no native engine is open: call openRuntime({ engine: 'tensorflow' }) first");
}
