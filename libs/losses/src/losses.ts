/** Losses element by element; what they are divided by is the heads' business. */
import * as tf from '@tensorflow/tfjs-core';
import { generalizedIou, type GiouOptions } from '@pyramidal/boxes';

/**
 * Binary cross entropy of logits.
 * @param logits float32, any shape.
 * @param targets 0 or 1 (or between), the shape of the logits.
 * @returns float32, the shape of the logits.
 */
export function binaryCrossEntropy<T extends tf.Tensor>(logits: T, targets: T): T {
  return tf.tidy(() => tf.sub(tf.softplus(logits), tf.mul(logits, targets)) as T);
}

/** The settings of the focal loss. */
export interface FocalOptions {
  /** Weight of targets 1; those of 0 get the rest. */
  readonly alpha: number;
  /** How little what is right already counts. */
  readonly gamma: number;
}

/**
 * Focal loss of logits (Lin et al. 2017, eq. 5), -a (1 - p)^gamma log p, where p is the probability of the right answer.
 * @param logits float32, any shape.
 * @param targets 0 or 1, the shape of the logits.
 * @returns float32, the shape of the logits.
 */
export function focalLoss<T extends tf.Tensor>(logits: T, targets: T, { alpha, gamma }: FocalOptions): T {
  /** Logits of the right answer, and its weight. */
  const rightOf = (x: tf.Tensor, is: tf.Tensor) => ({
    sign: tf.sub(tf.mul(is, 2), 1),
    right: tf.mul(x, tf.sub(tf.mul(is, 2), 1)),
    weight: tf.add(tf.mul(is, 2 * alpha - 1), 1 - alpha),
  });
  // Keeps no more for the gradient than what comes in: there are as many numbers as anchors times classes.
  const loss = tf.customGrad((x, is, save) => {
    (save as tf.GradSaveFunc)([x as tf.Tensor, is as tf.Tensor]);
    const { right, weight } = rightOf(x as tf.Tensor, is as tf.Tensor);
    const value = tf.mul(tf.mul(weight, tf.pow(tf.sigmoid(tf.neg(right)), gamma)), tf.softplus(tf.neg(right)));
    return {
      value,
      gradFunc: (dy: tf.Tensor, saved: tf.Tensor[]) => {
        const [savedX, savedIs] = saved as [tf.Tensor, tf.Tensor];
        const { sign, right, weight } = rightOf(savedX, savedIs);
        const wrong = tf.sigmoid(tf.neg(right));
        const slope = tf.add(tf.mul(tf.mul(tf.sigmoid(right), tf.softplus(tf.neg(right))), gamma), wrong);
        const gradient = tf.mul(tf.neg(tf.mul(sign, weight)), tf.mul(tf.pow(wrong, gamma), slope));
        return [tf.mul(dy, gradient), tf.zerosLike(savedIs)];
      },
    };
  });
  return tf.tidy(() => loss(logits, targets) as T);
}

/**
 * Smooth L1 (Fast R-CNN, eq. 3): quadratic below `beta`; plain L1 with 0.
 * @param predicted float32, any shape.
 * @param targets float32, the same shape.
 * @returns float32, the same shape.
 */
export function smoothL1<T extends tf.Tensor>(predicted: T, targets: T, beta: number): T {
  return tf.tidy(() => {
    const distance = tf.abs(tf.sub(predicted, targets)) as T;
    if (beta === 0) return distance;
    const near = tf.minimum(distance, beta);
    return tf.div(tf.mul(near, tf.sub(distance, tf.mul(near, 0.5))), beta) as T;
  });
}

/**
 * 1 - GIoU (Rezatofighi et al. 2019).
 * @param predicted float32 [R, 4], xyxy.
 * @param targets float32 [R, 4], xyxy.
 * @returns float32 [R].
 */
export function giouLoss(predicted: tf.Tensor2D, targets: tf.Tensor2D, options?: GiouOptions): tf.Tensor1D {
  return tf.tidy(() => tf.sub(1, generalizedIou(predicted, targets, options)) as tf.Tensor1D);
}
