/** Group normalisation as a layer. */
import type * as tf from '@tensorflow/tfjs-core';
import { groupNorm } from '@pyramidal/kernels';
import { ones, zeros } from './initializers';
import { Module } from './module';
import { Parameter } from './parameter';

/** Normalises groups of channels over all cells of a sample (Wu & He 2018), whatever the batch. */
export class GroupNorm extends Module {
  readonly weight: Parameter;
  readonly bias: Parameter;
  private readonly options: { readonly groups: number; readonly epsilon: number };

  /** @throws RangeError if the groups would be of different size. */
  constructor(
    readonly channels: number,
    { groups = 32, epsilon = 1e-5 }: { readonly groups?: number; readonly epsilon?: number } = {},
  ) {
    super();
    if (channels % groups !== 0) {
      throw new RangeError(`GroupNorm: expected channels in ${groups} groups of equal size, received ${channels}`);
    }
    this.weight = new Parameter({ shape: [channels], init: ones });
    this.bias = new Parameter({ shape: [channels], init: zeros });
    this.options = { groups, epsilon };
  }

  /** @param x float32 [N, ..., channels]. @returns the same shape. */
  forward<T extends tf.Tensor>(x: T): T {
    return groupNorm(x, this.weight.value(), this.bias.value(), this.options);
  }
}
