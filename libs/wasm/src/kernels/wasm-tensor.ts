/** What the kernels share: their calls with types, and the memory of the WebAssembly engine. */
import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm';
import * as tf from '@tensorflow/tfjs-core';

/** What TensorFlow.js hands to a kernel of this backend; `Name` are its inputs. */
interface KernelCall<Name extends string, Attrs = unknown> {
  readonly inputs: Readonly<Record<Name, tf.TensorInfo>>;
  readonly attrs: Attrs;
  readonly backend: BackendWasm;
}

/** A kernel that is not there yet, or one that stands in for the package's own, which it may call. */
export interface WasmKernel {
  readonly name: string;
  readonly create: (builtIn: tf.KernelFunc) => tf.KernelFunc;
}

/** A call with the types of its kernel; TensorFlow.js has one type for the calls of all kernels. */
export function typed<Name extends string, Attrs>(call: Parameters<tf.KernelFunc>[0]): KernelCall<Name, Attrs> {
  return {
    inputs: call.inputs as Record<Name, tf.TensorInfo>,
    attrs: call.attrs as Attrs,
    backend: call.backend as BackendWasm,
  };
}

/** The tensor's place in WebAssembly memory; allocating another tensor may invalidate it. */
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
