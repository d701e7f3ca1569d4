/** A learned factor, one for all cells and channels of a level (FCOS, Tian et al. 2019, section 3.2). */
import * as tf from '@tensorflow/tfjs-core';
import { initializers, Module, Parameter } from '@pyramidal/nn';

export class Scale extends Module {
  readonly scale = new Parameter({ shape: [], init: initializers.ones });

  /** @param x float32, any shape. @returns the same shape. */
  forward<T extends tf.Tensor>(x: T): T {
    return tf.mul(x, this.scale.value<tf.Rank.R0>());
  }
}
