import type * as tf from '@tensorflow/tfjs-core';
import { dropout, dropPath, foldSeed } from '@pyramidal/runtime';

export interface ForwardPassOptions {
  readonly mode: 'train' | 'infer';
  /** int32 [2]; needed as soon as something is dropped at random. */
  readonly seed?: tf.Tensor1D;
  /** 'running' keeps batch norms on their running statistics while training (frozen norms). Default: by mode. */
  readonly batchNorm?: 'batch' | 'running';
}

/**
 * One run of a network: its mode and its randomness, handed from module to module. Every random draw of a pass gets a
 * seed of its own, counted in call order, so that one seed decides the whole pass on every engine.
 */
export class ForwardPass {
  readonly mode: 'train' | 'infer';
  readonly batchNorm: 'batch' | 'running';
  readonly #seed: tf.Tensor1D | undefined;
  #draws = 0;

  constructor({ mode, seed, batchNorm }: ForwardPassOptions) {
    this.mode = mode;
    this.batchNorm = batchNorm ?? (mode === 'train' ? 'batch' : 'running');
    this.#seed = seed;
  }

  /** Zeroes elements at `rate` and scales the rest up; nothing at inference. */
  dropout<T extends tf.Tensor>(x: T, rate: number): T {
    return this.mode === 'infer' || rate === 0 ? x : dropout(x, rate, this.#nextSeed());
  }

  /** Drops whole samples of a residual branch at `rate` (stochastic depth) and scales the rest up. */
  dropPath<T extends tf.Tensor>(x: T, rate: number): T {
    return this.mode === 'infer' || rate === 0 ? x : dropPath(x, rate, this.#nextSeed());
  }

  #nextSeed(): tf.Tensor1D {
    if (this.#seed === undefined) throw new Error('ForwardPass: training with dropout or drop path needs a seed');
    return foldSeed(this.#seed, this.#draws++);
  }
}

/** A pass without randomness, on running statistics. */
export const inferencePass = (): ForwardPass => new ForwardPass({ mode: 'infer' });
