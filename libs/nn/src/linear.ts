/** The fully connected layer. */
import * as tf from '@tensorflow/tfjs-core';
import { biasAdd } from '@pyramidal/kernels';
import { truncatedNormal, zeros, type Initializer } from './initializers';
import { Module } from './module';
import { Parameter } from './parameter';

/** The settings of a linear layer. */
interface LinearOptions {
  readonly bias?: boolean;
  readonly init?: Initializer;
  /** Default 0. */
  readonly biasInit?: Initializer;
}

/** x W + b over the last axis. */
export class Linear extends Module {
  readonly weight: Parameter;
  readonly bias: Parameter | undefined;

  constructor(
    readonly inFeatures: number,
    readonly outFeatures: number,
    { bias = true, init = truncatedNormal(0.02), biasInit = zeros }: LinearOptions = {},
  ) {
    super();
    this.weight = new Parameter({ shape: [inFeatures, outFeatures], layout: 'linear', init });
    this.bias = bias ? new Parameter({ shape: [outFeatures], init: biasInit }) : undefined;
  }

  /** @param x float32 [..., inFeatures]. @returns float32 [..., outFeatures]. */
  forward<T extends tf.Tensor>(x: T): T {
    return tf.tidy(() => {
      const rows = tf.reshape(x, [-1, this.inFeatures]);
      const product = tf.matMul(rows, this.weight.value<tf.Rank.R2>());
      const y = this.bias === undefined ? product : biasAdd(product, this.bias.value());
      return tf.reshape(y, [...x.shape.slice(0, -1), this.outFeatures]) as T;
    });
  }
}
