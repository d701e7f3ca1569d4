/** Kernels of this project in place of those that a backend of TensorFlow.js has wrong or slow, and those that it lacks. */
import * as tf from '@tensorflow/tfjs-core';

/** A kernel that is not there yet, or one that stands in for the package's own, which it may call. */
export interface KernelReplacement {
  readonly name: string;
  readonly create: (builtIn: tf.KernelFunc) => tf.KernelFunc;
}

/** What TensorFlow.js hands to a kernel; `Name` are its inputs. */
export interface KernelCall<Name extends string, Attrs, Backend> {
  readonly inputs: Readonly<Record<Name, tf.TensorInfo>>;
  readonly attrs: Attrs;
  readonly backend: Backend;
}

/** A call with the types of its kernel; TensorFlow.js has one type for the calls of all kernels. */
export function typedCall<Name extends string, Attrs, Backend>(
  call: Parameters<tf.KernelFunc>[0],
): KernelCall<Name, Attrs, Backend> {
  return {
    inputs: call.inputs as Record<Name, tf.TensorInfo>,
    attrs: call.attrs as Attrs,
    backend: call.backend as Backend,
  };
}

const OURS = new WeakSet<tf.KernelFunc>();

/** Registers kernels with a backend. May be called again. */
export function replaceKernels(backendName: string, kernels: readonly KernelReplacement[]): void {
  for (const { name, create } of kernels) {
    const present = tf.getKernel(name, backendName);
    if (present && OURS.has(present.kernelFunc)) continue;
    if (present) tf.unregisterKernel(name, backendName);
    const kernelFunc = create(present?.kernelFunc ?? missing(backendName, name));
    OURS.add(kernelFunc);
    tf.registerKernel({ ...present, kernelName: name, backendName, kernelFunc });
  }
}

function missing(backendName: string, name: string): tf.KernelFunc {
  return () => {
    throw new Error(`${backendName}: the package has no kernel ${name}`);
  };
}
