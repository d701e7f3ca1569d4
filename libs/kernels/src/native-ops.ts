import * as tf from '@tensorflow/tfjs-core';

/** One attribute of a TensorFlow operation, as the Node.js binding takes it. */
export interface OpAttr {
  readonly name: string;
  readonly type: number;
  readonly value: unknown;
}

type DType = 'float32' | 'int32' | 'bool' | 'bfloat16';

interface AttrTypes {
  readonly TF_ATTR_STRING: number;
  readonly TF_ATTR_INT: number;
  readonly TF_ATTR_FLOAT: number;
  readonly TF_ATTR_BOOL: number;
  readonly TF_ATTR_TYPE: number;
}

interface TensorMetadata {
  readonly id: number;
  readonly shape: number[];
  readonly dtype: number;
}

interface Binding extends AttrTypes {
  /** There while a graph is recorded: tensor `id` for those that come after tensor `other`. */
  readonly identityAfter?: (id: number, other: number) => TensorMetadata;
  /** True while a graph is recorded whose optimizer knows layer norm as one operation. */
  readonly fusesLayerNorm?: boolean;
  /** True while a graph is recorded that other engines are to run. */
  readonly isPortable?: boolean;
}

interface NodeBackend {
  readonly binding: Binding;
  getInputTensorIds(tensors: tf.Tensor[]): number[];
  createOutputTensor(metadata: TensorMetadata): tf.Tensor;
  executeSingleOutput(name: string, attrs: OpAttr[], inputs: tf.Tensor[]): tf.Tensor;
  executeMultipleOutputs(name: string, attrs: OpAttr[], inputs: tf.Tensor[], outputs: number): tf.Tensor[];
}

/** Numbers of `enum DataType` in TensorFlow's types.proto. */
const DATA_TYPES: Readonly<Record<DType, number>> = { float32: 1, int32: 3, bool: 10, bfloat16: 14 };

/** Runs TensorFlow operations that TensorFlow.js has no name for, on the native engine. */
export class NativeOps {
  constructor(private readonly backend: NodeBackend) {}

  /** Runs an operation with one output. */
  run<T extends tf.Tensor>(name: string, inputs: readonly tf.Tensor[], attrs: readonly OpAttr[]): T {
    return this.backend.executeSingleOutput(name, [...attrs], [...inputs]) as T;
  }

  /** Runs an operation with `outputs` outputs. */
  runMany(name: string, inputs: readonly tf.Tensor[], attrs: readonly OpAttr[], outputs: number): tf.Tensor[] {
    return this.backend.executeMultipleOutputs(name, [...attrs], [...inputs], outputs);
  }

  /** x for operations that may run only once `other` is there; graphs order them so, others run them in turn anyway. */
  after<T extends tf.Tensor>(x: T, other: tf.Tensor): T {
    const { backend } = this;
    const { identityAfter } = backend.binding;
    if (identityAfter === undefined) return tf.clone(x);
    const [id, otherId] = backend.getInputTensorIds([x, other]) as [number, number];
    return backend.createOutputTensor(identityAfter(id, otherId)) as T;
  }

  /** Layer norm of rows as one operation, or null where that does not exist. */
  layerNorm(x: tf.Tensor2D, scale: tf.Tensor1D, offset: tf.Tensor1D, epsilon: number): tf.Tensor2D | null {
    if (this.backend.binding.fusesLayerNorm !== true) return null;
    return this.run<tf.Tensor2D>(
      '_MklLayerNorm',
      [x, scale, offset],
      [this.type('T', 'float32'), this.float('epsilon', epsilon)],
    );
  }

  type(name: string, dtype: DType): OpAttr {
    return { name, type: this.backend.binding.TF_ATTR_TYPE, value: DATA_TYPES[dtype] };
  }

  bool(name: string, value: boolean): OpAttr {
    return { name, type: this.backend.binding.TF_ATTR_BOOL, value };
  }

  float(name: string, value: number): OpAttr {
    return { name, type: this.backend.binding.TF_ATTR_FLOAT, value };
  }

  /** An integer or a list of integers. */
  int(name: string, value: number | readonly number[]): OpAttr {
    return { name, type: this.backend.binding.TF_ATTR_INT, value };
  }

  string(name: string, value: string): OpAttr {
    return { name, type: this.backend.binding.TF_ATTR_STRING, value };
  }
}

/** The native engine's operations, or null where another engine is active or will run what is recorded. */
export function nativeOps(): NativeOps | null {
  if (tf.getBackend() !== 'tensorflow') return null;
  const backend = tf.backend() as unknown as NodeBackend;
  return backend.binding.isPortable === true ? null : new NativeOps(backend);
}
