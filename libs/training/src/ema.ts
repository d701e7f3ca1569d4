/** Exponential moving average of the weights, as timm's `ModelEma`. */
import * as tf from '@tensorflow/tfjs-core';
import type { ParameterBlock } from './parameter-block';
import { BlockState } from './block-state';

/**
 * Exponential moving average of parameters, from their initial values: average = decay * average + (1 - decay) *
 * parameter after every update. Buffers are not averaged; the averaged model uses the live ones.
 */
export class Ema {
  readonly averages: BlockState;

  constructor(
    private readonly blocks: readonly ParameterBlock[],
    readonly decay: number,
  ) {
    this.averages = new BlockState(blocks, (block) => block.values());
  }

  /** Static: part of a recorded step. @param applies bool scalar; without it, or where it is true, the averages move. */
  update(applies?: tf.Tensor): void {
    for (const block of this.blocks) {
      const average = this.averages.of(block);
      const next = tf.add(tf.mul(average, this.decay), tf.mul(block.values(), 1 - this.decay));
      average.assign(applies === undefined ? next : tf.where(applies, next, average));
    }
  }

  /** Runs `use` while the model holds the averages, and gives it its own values back, whatever happens. */
  async borrowedBy<T>(use: () => Promise<T>): Promise<T> {
    this.swap();
    try {
      return await use();
    } finally {
      this.swap();
    }
  }

  private swap(): void {
    tf.tidy(() => {
      for (const block of this.blocks) {
        const average = this.averages.of(block);
        const [lent, own] = [tf.clone(average), tf.clone(block.values())];
        block.assign(lent);
        average.assign(own);
      }
    });
  }
}
