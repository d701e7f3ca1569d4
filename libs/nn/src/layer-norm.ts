/** Layer normalisation as a layer. */
import type * as tf from '@tensorflow/tfjs-core';
import { layerNorm } from '@pyramidal/kernels';
import { ones, zeros } from './initializers';
import { Module } from './module';
import { Parameter } from './parameter';

/** Normalises over the last axis (Ba et al. 2016). */
export class LayerNorm extends Module {
  readonly weight: Parameter;
  readonly bias: Parameter;
  private readonly epsilon: number;

  constructor(
    readonly channels: number,
    { epsilon = 1e-5 }: { readonly epsilon?: number } = {},
  ) {
    super();
    this.weight = new Parameter({ shape: [channels], init: ones });
    this.bias = new Parameter({ shape: [channels], init: zeros });
    this.epsilon = epsilon;
  }

  /** @param x float32 [..., channels]. @returns the same shape. */
  forward<T extends tf.Tensor>(x: T): T {
    return layerNorm(x, this.weight.value(), this.bias.value(), this.epsilon);
  }
}
