/** What a forward pass carries from module to module: its mode, its randomness, its observer. */
import * as tf from '@tensorflow/tfjs-core';
import { random, recomputed } from '@pyramidal/kernels';
import type { Module } from './module';

/** How a module attends. */
export interface AttentionView {
  /** The softmax over tokens, float32 [N, heads, T, S], or [N, T, A] where attention is factorised. */
  readonly weights: tf.Tensor;
  /** How much each cell counts to those that look, on average: float32 [N, H, W, heads]. */
  readonly map: tf.Tensor4D;
}

/** Sees how a module attends; the tensors live until it returns. */
export type AttentionObserver = (module: Module, attention: AttentionView) => void;

/** How a network runs. */
interface ForwardPassOptions {
  readonly mode: 'train' | 'infer';
  /** int32 [2]; needed as soon as something is dropped at random. */
  readonly seed?: tf.Tensor1D;
  /**
   * 'running' keeps batch norms on their running statistics while training (frozen norms); 'shared' takes the batches of all
   * processes that run the step. Default: by mode.
   */
  readonly batchNorm?: 'batch' | 'shared' | 'running';
  /** Keeps of each block its input alone for the gradient: less memory for a second forward pass (see `through`). */
  readonly recompute?: boolean;
  /** Is called by every module that attends; `Module.modules()` gives their names. */
  readonly onAttention?: AttentionObserver;
}

/**
 * One run of a network: its mode and its randomness, handed from module to module. Every random draw of a pass gets a
 * seed of its own, counted in call order, so that one seed decides the whole pass on every engine.
 */
export class ForwardPass {
  readonly mode: 'train' | 'infer';
  readonly batchNorm: 'batch' | 'shared' | 'running';
  /** Whether blocks run again in the backward pass. */
  readonly recomputes: boolean;
  private readonly seed: tf.Tensor1D | undefined;
  private readonly onAttention: AttentionObserver | undefined;
  private draws = 0;
  private isRepeated = false;

  constructor(options: ForwardPassOptions) {
    const { mode, seed, batchNorm, recompute = false, onAttention } = options;
    this.mode = mode;
    this.batchNorm = batchNorm ?? (mode === 'train' ? 'batch' : 'running');
    this.recomputes = recompute && mode === 'train';
    this.seed = seed;
    this.onAttention = onAttention;
  }

  /** Zeroes elements at `rate` and scales the rest up; nothing at inference. */
  dropout<T extends tf.Tensor>(x: T, rate: number): T {
    return this.mode === 'infer' || rate === 0 ? x : random.dropout(x, rate, this.nextSeed());
  }

  /** Drops whole samples of a residual branch at `rate` (stochastic depth) and scales the rest up. */
  dropPath<T extends tf.Tensor>(x: T, rate: number): T {
    return this.mode === 'infer' || rate === 0 ? x : random.dropPath(x, rate, this.nextSeed());
  }

  /** Whether running statistics are to follow the batch. */
  get movesStatistics(): boolean {
    return !this.isRepeated;
  }

  /**
   * Runs a block, which the backward pass may have to run again.
   * @param x any shape. @returns any shape, as the block gives it.
   * @param parts own every parameter that the block reads.
   * @param constants that it reads besides, and the gradient need not reach.
   */
  through<T extends tf.Tensor>(
    parts: readonly Module[],
    x: T,
    run: (x: T, pass: ForwardPass, constants: readonly tf.Tensor[]) => T,
    constants: readonly tf.Tensor[] = [],
  ): T {
    const seen = this.seenBy(parts);
    if (!seen.recomputes) return run(x, seen, constants);
    const repeated = this.repeatedFromHere();
    const parameters = new Set(parts.flatMap((part) => [...part.parameters().values()]));
    return recomputed(x, {
      run: (input, given) => run(input, seen, given),
      runAgain: (input, given) => run(input, repeated, given),
      constants,
      variables: [...parameters].map(({ variable }) => variable),
    });
  }

  /** The pass as parts of the network see it: where they are frozen, an inference. */
  seenBy(parts: readonly Module[]): ForwardPass {
    if (this.mode === 'infer' || !parts.every(({ isFrozen }) => isFrozen)) return this;
    return new ForwardPass({ mode: 'infer', ...(this.onAttention && { onAttention: this.onAttention }) });
  }

  /** What a module does to show its attention, where somebody looks on. */
  ifWatched<T>(show: T): T | undefined {
    return this.onAttention === undefined ? undefined : show;
  }

  /** Shows attention to whoever looks on; its map is not computed for nobody. */
  showAttention(module: Module, attention: () => AttentionView): void {
    const observe = this.onAttention;
    if (observe !== undefined) tf.tidy(() => observe(module, attention()));
  }

  /** The same draws as this pass is about to make, and no effects outside. */
  private repeatedFromHere(): ForwardPass {
    const { mode, batchNorm } = this;
    const repeated = new ForwardPass({ mode, batchNorm, ...(this.seed && { seed: this.seed }) });
    repeated.draws = this.draws;
    repeated.isRepeated = true;
    return repeated;
  }

  private nextSeed(): tf.Tensor1D {
    if (this.seed === undefined) throw new Error('ForwardPass: training with dropout or drop path needs a seed');
    return random.foldSeed(this.seed, this.draws++);
  }
}

/** A pass without randomness, on running statistics. */
export const inferencePass = (): ForwardPass => new ForwardPass({ mode: 'infer' });
