/** Batch normalisation as a layer, with running statistics as PyTorch keeps them. */
import * as tf from '@tensorflow/tfjs-core';
import { batchNorm } from '@pyramidal/kernels';
import type { ForwardPass } from './forward-pass';
import { ones, zeros } from './initializers';
import { Module } from './module';
import { Parameter } from './parameter';

/** The settings of a batch norm; the defaults are PyTorch's. */
interface BatchNormOptions {
  readonly epsilon?: number;
  /** Share of the batch in the running statistics (PyTorch's sense). */
  readonly momentum?: number;
}

/**
 * Batch normalisation over all axes but the last (Ioffe & Szegedy 2015). A training pass normalises by the batch, or by those
 * of all workers, and moves the running statistics, their variance the unbiased one as in PyTorch; other passes, and frozen layers, use the
 * running ones.
 */
export class BatchNorm extends Module {
  readonly weight: Parameter;
  readonly bias: Parameter;
  readonly runningMean: Parameter;
  readonly runningVar: Parameter;
  private readonly epsilon: number;
  private readonly momentum: number;

  constructor(
    readonly channels: number,
    { epsilon = 1e-5, momentum = 0.1 }: BatchNormOptions = {},
  ) {
    super();
    this.weight = new Parameter({ shape: [channels], init: ones });
    this.bias = new Parameter({ shape: [channels], init: zeros });
    this.runningMean = new Parameter({ shape: [channels], init: zeros, trainable: false });
    this.runningVar = new Parameter({ shape: [channels], init: ones, trainable: false });
    this.epsilon = epsilon;
    this.momentum = momentum;
  }

  /** @param x float32 [..., channels]. @returns the same shape. */
  forward<T extends tf.Tensor>(x: T, pass: ForwardPass): T {
    const by = this.weight.isFrozen ? 'running' : pass.batchNorm;
    return tf.tidy(() => {
      if (by === 'running') return this.byRunning(x);
      return by === 'shared' ? this.byAllBatches(x, pass) : this.byBatch(x, pass);
    });
  }

  private byRunning<T extends tf.Tensor>(x: T): T {
    return batchNorm.infer(x, {
      mean: this.runningMean.value(),
      variance: this.runningVar.value(),
      scale: this.weight.value(),
      offset: this.bias.value(),
      epsilon: this.epsilon,
    });
  }

  private byBatch<T extends tf.Tensor>(x: T, pass: ForwardPass): T {
    const { y, mean, variance } = batchNorm.train(x, this.weight.value(), this.bias.value(), this.epsilon);
    if (!pass.movesStatistics) return y;
    const count = x.size / this.channels;
    move(this.runningMean, mean, this.momentum);
    move(this.runningVar, tf.mul(variance, count / Math.max(count - 1, 1)), this.momentum);
    return y;
  }

  private byAllBatches<T extends tf.Tensor>(x: T, pass: ForwardPass): T {
    const options = { epsilon: this.epsilon, shift: this.runningMean.value<tf.Rank.R1>() };
    const { y, mean, variance, count } = batchNorm.trainTogether(x, this.weight.value(), this.bias.value(), options);
    if (!pass.movesStatistics) return y;
    move(this.runningMean, mean, this.momentum);
    move(this.runningVar, tf.mul(variance, tf.div(count, tf.maximum(tf.sub(count, 1), 1))), this.momentum);
    return y;
  }
}

function move(running: Parameter, batch: tf.Tensor, momentum: number): void {
  const { variable } = running;
  variable.assign(tf.add(tf.mul(variable, 1 - momentum), tf.mul(batch, momentum)));
}
