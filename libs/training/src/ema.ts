import * as tf from '@tensorflow/tfjs-core';
import type { Parameter } from '@pyramidal/nn';
import type { Slot } from './optimizer';

/**
 * Exponential moving average of parameters, from their initial values: average = decay * average + (1 - decay) *
 * parameter after every update. Buffers are not averaged; the averaged model uses the live ones.
 */
export class Ema {
  readonly slots: ReadonlyMap<string, Slot>;

  constructor(
    parameters: ReadonlyMap<string, Parameter>,
    readonly decay: number,
  ) {
    this.slots = new Map(
      [...parameters].map(([name, parameter]) => {
        const variable = tf.tidy(() => tf.variable(tf.clone(parameter.variable), false));
        return [name, { variable, parameter }];
      }),
    );
  }

  /** Static: part of a recorded step. */
  update(): void {
    for (const { variable, parameter } of this.slots.values()) {
      variable.assign(tf.add(tf.mul(variable, this.decay), tf.mul(parameter.variable, 1 - this.decay)));
    }
  }

  /** Runs `use` while the model holds the averages, and gives it its own values back, whatever happens. */
  async borrowedBy<T>(use: () => Promise<T>): Promise<T> {
    this.#swap();
    try {
      return await use();
    } finally {
      this.#swap();
    }
  }

  #swap(): void {
    tf.tidy(() => {
      for (const { variable, parameter } of this.slots.values()) {
        const [average, own] = [tf.clone(variable), tf.clone(parameter.variable)];
        parameter.variable.assign(average);
        variable.assign(own);
      }
    });
  }

  dispose(): void {
    for (const { variable } of this.slots.values()) variable.dispose();
  }
}
