/** Dynamic loss scaling for float16 (Micikevicius et al. 2018, arXiv 1710.03740, section 3.2). */
import * as tf from '@tensorflow/tfjs-core';

/** How the scale moves; the defaults are those of PyTorch's `GradScaler`, and 1 is the least scale. */
export interface LossScaleOptions {
  readonly initial?: number;
  /** Updates in a row with finite gradients after which the scale doubles. */
  readonly growEvery?: number;
}

/** Where the scale stands, as a checkpoint keeps it. */
export interface LossScaleState {
  readonly scale: number;
  /** Updates with finite gradients since the scale last changed. */
  readonly finite: number;
}

/** What becomes of an update. */
export interface Verdict {
  /** Whether the gradients are finite; bool scalar. Where they are not, nothing may change. */
  readonly applies: tf.Tensor;
  /** The norm of the gradients, 0 of an update that does not apply; float32 scalar. */
  readonly norm: tf.Scalar;
  /** For the log: the scale that the update had, whether it is skipped (1 or 0), and the norm, not finite where no smaller scale is left to try. */
  readonly told: Readonly<Record<'gradNorm' | 'lossScale' | 'skipped', tf.Scalar>>;
}

const LEAST = 1;
const LARGEST = 2 ** 24;

/**
 * Multiplies the loss, so that small gradients do not vanish in float16, and takes the factor out of the gradients again.
 * Gradients that are not finite halve the scale, and their update is skipped; after enough finite ones in a row it doubles.
 * All of it is part of a static step.
 */
export class LossScale {
  private readonly scale: tf.Variable;
  private readonly finite: tf.Variable;
  private readonly growEvery: number;

  constructor({ initial = 2 ** 16, growEvery = 2000 }: LossScaleOptions = {}) {
    this.growEvery = growEvery;
    [this.scale, this.finite] = tf.tidy(() => [
      tf.variable(tf.scalar(initial), false),
      tf.variable(tf.scalar(0), false),
    ]);
  }

  /** What holds its state. */
  get variables(): readonly tf.Variable[] {
    return [this.scale, this.finite];
  }

  get state(): LossScaleState {
    const [scale, finite] = [this.scale, this.finite].map((variable) => variable.dataSync()[0]!) as [number, number];
    return { scale, finite };
  }

  restore({ scale, finite }: LossScaleState): void {
    tf.tidy(() => {
      this.scale.assign(tf.scalar(scale));
      this.finite.assign(tf.scalar(finite));
    });
  }

  /** The loss to differentiate. */
  scaled(loss: tf.Scalar): tf.Scalar {
    return tf.mul(loss, this.scale);
  }

  /** Gradients of the loss, from those of the scaled one. */
  unscaled<K>(gradients: ReadonlyMap<K, tf.Tensor>): Map<K, tf.Tensor> {
    return new Map([...gradients].map(([key, gradient]) => [key, tf.div(gradient, this.scale)]));
  }

  /** Judges the gradients by their global norm, and moves the scale. */
  judge(norm: tf.Scalar): Verdict {
    const { scale } = this;
    const applies = tf.isFinite(norm);
    const mayShrink = tf.greater(scale, LEAST);
    const skipped = tf.logicalAnd(tf.logicalNot(applies), mayShrink);
    const none = tf.zerosLike(norm);
    const told = {
      gradNorm: tf.where(skipped, none, norm) as tf.Scalar,
      lossScale: tf.clone<tf.Tensor>(scale) as tf.Scalar,
      skipped: tf.cast<tf.Scalar>(skipped as tf.Scalar, 'float32'),
    };
    const finite = tf.where(applies, tf.add(this.finite, 1), none);
    const grows = tf.greaterEqual(finite, this.growEvery);
    const kept = tf.where(grows, tf.minimum(tf.mul(scale, 2), LARGEST), scale);
    const smaller = tf.maximum(tf.div(scale, 2), LEAST);
    scale.assign(tf.where(applies, kept, smaller));
    this.finite.assign(tf.where(grows, none, finite));
    return { applies, norm: tf.where(applies, norm, none) as tf.Scalar, told };
  }

  dispose(): void {
    for (const variable of this.variables) variable.dispose();
  }
}
