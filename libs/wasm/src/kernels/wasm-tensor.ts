/** What the kernels share: their calls with types, and the memory of the WebAssembly engine. */
import { typedCall, type KernelCall, type KernelReplacement } from '@pyramidal/kernels/engine';
import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm';
import * as tf from '@tensorflow/tfjs-core';

export type WasmKernel = KernelReplacement;

/** A call with the types of its kernel. */
export const typed = <Name extends string, Attrs>(
  call: Parameters<tf.KernelFunc>[0],
): KernelCall<Name, Attrs, BackendWasm> => typedCall(call);

/** The tensor's place in WebAssembly memory, in bytes, which stays while the tensor does. */
export const placeOf = (backend: BackendWasm, { dataId }: tf.TensorInfo): number => backend.getMemoryOffset(dataId);

/** The tensor's values in WebAssembly memory; allocating another tensor may invalidate them. */
export function floats(backend: BackendWasm, tensor: tf.TensorInfo): Float32Array {
  return backend.typedArrayFromHeap(tensor) as Float32Array;
}

/** A new float32 tensor whose values `fill` writes into WebAssembly memory. */
export function filled(
  backend: BackendWasm,
  shape: number[],
  fill: (values: Float32Array) => void,
  dtype: tf.DataType = 'float32',
): tf.Tensor {
  const info = backend.makeOutput(shape, dtype);
  fill(floats(backend, info));
  return tf.engine().makeTensorFromTensorInfo(info);
}

/** Runs a kernel of the backend by name, as one step of another kernel. */
export function runKernel<T extends tf.Tensor>(name: string, inputs: object, attrs: object = {}): T {
  return tf.engine().runKernel(name, inputs as tf.NamedTensorMap, attrs as tf.NamedAttrMap) as T;
}

/** Below this many floats a loop copies faster than a call. */
const SHORT_COPY = 24;

export function copyFloats(source: Float32Array, at: number, target: Float32Array, to: number, count: number): void {
  if (count > SHORT_COPY) target.set(source.subarray(at, at + count), to);
  else for (let k = 0; k < count; k++) target[to + k] = source[at + k]!;
}
