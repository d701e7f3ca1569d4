/** TensorFlow's own operations for kernels, where TensorFlow.js has no name for them. */
import * as tf from '@tensorflow/tfjs-core';
import { engineBackend, type EngineBackend, type OpAttribute } from './engine';

type DType = 'float32' | 'int32' | 'uint8' | 'bool' | 'bfloat16';

/** Numbers of `enum DataType` in TensorFlow's types.proto. */
const DATA_TYPES: Readonly<Record<DType, number>> = { float32: 1, int32: 3, uint8: 4, bool: 10, bfloat16: 14 };

/** Runs TensorFlow operations that TensorFlow.js has no name for, on the native engine. */
export class NativeOps {
  constructor(private readonly backend: EngineBackend) {}

  /** Runs an operation with one output; tensors of any shape that it takes. */
  run<T extends tf.Tensor>(name: string, inputs: readonly tf.Tensor[], attrs: readonly OpAttribute[]): T {
    return this.backend.executeSingleOutput(name, [...attrs], [...inputs]) as T;
  }

  /** Runs an operation with `outputs` outputs; tensors of any shape that it takes. */
  runMany(name: string, inputs: readonly tf.Tensor[], attrs: readonly OpAttribute[], outputs: number): tf.Tensor[] {
    return this.backend.executeMultipleOutputs(name, [...attrs], [...inputs], outputs);
  }

  /** x, any shape, for operations that may run only once `other` is there; graphs order them so, others run them in turn anyway. */
  after<T extends tf.Tensor>(x: T, other: tf.Tensor): T {
    const { backend } = this;
    const { recording } = backend.binding;
    if (recording === undefined) return tf.clone(x);
    const [id, otherId] = backend.getInputTensorIds([x, other]) as [number, number];
    return backend.createOutputTensor(recording.identityAfter(id, otherId)) as T;
  }

  /** Layer norm of rows, float32 [R, C], as one operation, or null where that does not exist. @param scale float32 [C], as the offset. */
  layerNorm(x: tf.Tensor2D, scale: tf.Tensor1D, offset: tf.Tensor1D, epsilon: number): tf.Tensor2D | null {
    if (this.backend.binding.recording?.fusesLayerNorm !== true) return null;
    return this.run<tf.Tensor2D>(
      '_MklLayerNorm',
      [x, scale, offset],
      [this.type('T', 'float32'), this.float('epsilon', epsilon)],
    );
  }

  type(name: string, dtype: DType): OpAttribute {
    return { name, type: this.backend.binding.TF_ATTR_TYPE, value: DATA_TYPES[dtype] };
  }

  bool(name: string, value: boolean): OpAttribute {
    return { name, type: this.backend.binding.TF_ATTR_BOOL, value };
  }

  float(name: string, value: number): OpAttribute {
    return { name, type: this.backend.binding.TF_ATTR_FLOAT, value };
  }

  /** An integer or a list of integers. */
  int(name: string, value: number | readonly number[]): OpAttribute {
    return { name, type: this.backend.binding.TF_ATTR_INT, value };
  }

  string(name: string, value: string): OpAttribute {
    return { name, type: this.backend.binding.TF_ATTR_STRING, value };
  }
}

/** The native engine's operations, or null where another engine is active or will run what is recorded. */
export function nativeOps(): NativeOps | null {
  const backend = engineBackend();
  return backend === null || backend.binding.recording?.isPortable === true ? null : new NativeOps(backend);
}

/** The operations of this project's own addon as well, or null where it is not there, or will not be. */
export function ownOps(): NativeOps | null {
  const binding = engineBackend()?.binding;
  return binding?.sessions === undefined || binding.recording?.isExported === true ? null : nativeOps();
}

/** Whether `inSingleOperations` runs. */
let isComposed = false;

/** Runs `work` with TensorFlow.js's operations in place of this project's for processors, for those who watch them. */
export function inSingleOperations<T>(work: () => T): T {
  const before = isComposed;
  isComposed = true;
  try {
    return work();
  } finally {
    isComposed = before;
  }
}

/**
 * The operations of this project's own addon for processors, or null on cards too, which have faster ways.
 * @param isFloat32 only where products and convolutions are in float32, which graphs may have in half width.
 */
export function processorOps({ isFloat32 = false } = {}): NativeOps | null {
  const binding = engineBackend()?.binding;
  const isLeftOut = isComposed || (isFloat32 && binding?.recording?.isFloat32 === false);
  return isLeftOut || binding?.isUsingGpuDevice() === true ? null : ownOps();
}

/**
 * The same while a graph is recorded for this process; null at any other time. For operations that round in another way than those
 * in whose place they are: what is computed one by one stays what it is without the addon.
 * @param options as above.
 */
export function recordedProcessorOps(options?: { readonly isFloat32?: boolean }): NativeOps | null {
  return engineBackend()?.binding.recording === undefined ? null : processorOps(options);
}
