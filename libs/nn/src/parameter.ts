/** One tensor of a network: its shape here and in PyTorch, its initial values, its variable. */
import * as tf from '@tensorflow/tfjs-core';
import type { Initializer } from './initializers';
import { fromTorchOrder, toTorchOrder, toTorchShape, type Layout } from './layout';

/** What a parameter is before it has values. */
interface ParameterSpec {
  /** Our shape, for instance [height, width, in, out] of a convolution. */
  readonly shape: readonly number[];
  readonly layout?: Layout;
  readonly init: Initializer;
  /** False for buffers (running statistics): state that no gradient changes. */
  readonly trainable?: boolean;
  /** Whether weight decay applies; by default to PyTorch tensors of two or more dimensions. */
  readonly decay?: boolean;
}

/**
 * One named tensor of a module. Declaring it costs nothing: memory is taken when it is initialised or loaded, so
 * counting the parameters of the largest model is free.
 */
export class Parameter {
  readonly shape: readonly number[];
  readonly layout: Layout;
  readonly torchShape: readonly number[];
  readonly size: number;
  readonly trainable: boolean;
  readonly decay: boolean;
  /** Frozen parameters keep their values in training; `Module.freeze` decides it. */
  isFrozen = false;
  private readonly init: Initializer;
  private tensor: tf.Variable | undefined;

  constructor({ shape, layout = 'plain', init, trainable = true, decay }: ParameterSpec) {
    this.shape = shape;
    this.layout = layout;
    this.torchShape = toTorchShape(shape, layout);
    this.size = tf.util.sizeFromShape([...shape]);
    this.trainable = trainable;
    this.decay = decay ?? (trainable && shape.length >= 2);
    this.init = init;
  }

  get isInitialized(): boolean {
    return this.tensor !== undefined;
  }

  /** @throws Error before `initialize` or `assignTorch`. */
  get variable(): tf.Variable {
    if (this.tensor === undefined) {
      throw new Error(
        `parameter [${this.shape.join(', ')}]: used before it has values; call initialize() or load weights`,
      );
    }
    return this.tensor;
  }

  /** The variable as a tensor of a known rank. */
  value<R extends tf.Rank>(): tf.Tensor<R> {
    const tensor: tf.Tensor = this.variable;
    return tensor as tf.Tensor<R>;
  }

  /** Draws new values; the seed alone decides them. */
  initialize(seed: number): void {
    this.assignTorch(this.init(this.torchShape, seed));
  }

  /** Takes float32 values in PyTorch's order. */
  assignTorch(values: Float32Array): void {
    if (values.length !== this.size) {
      throw new Error(
        `parameter: expected ${this.size} values for [${this.torchShape.join(', ')}], received ${values.length}`,
      );
    }
    const ours = tf.tensor(this.fromTorchOrder(values), [...this.shape], 'float32');
    if (this.tensor === undefined) this.tensor = tf.variable(ours, this.trainable);
    else this.tensor.assign(ours);
    ours.dispose();
  }

  /** The values in PyTorch's order. */
  async toTorch(): Promise<Float32Array> {
    return this.toTorchOrder((await this.variable.data()) as Float32Array);
  }

  /** Values of the parameter's shape, such as its gradient's, from our order to PyTorch's. */
  toTorchOrder(values: Float32Array): Float32Array {
    return toTorchOrder(values, this.shape, this.layout);
  }

  /** Values of the parameter's shape from PyTorch's order to ours. */
  fromTorchOrder(values: Float32Array): Float32Array {
    return fromTorchOrder(values, this.torchShape, this.layout);
  }

  dispose(): void {
    this.tensor?.dispose();
    this.tensor = undefined;
  }
}
