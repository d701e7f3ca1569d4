/** Cross entropy against class probabilities, and its gradient. */
import * as tf from '@tensorflow/tfjs-core';
import { nativeOps, type NativeOps } from '#native-ops';

/**
 * Cross entropy of softmaxed logits against class probabilities, one loss per row.
 * @param logits float32 [N, K].
 * @param labels float32 [N, K], one-hot or soft; receives no gradient.
 * @returns float32 [N], `-sum_k labels * log(softmax(logits))`.
 */
export function softmaxCrossEntropy(logits: tf.Tensor2D, labels: tf.Tensor2D): tf.Tensor1D {
  return tf.customGrad((input, save) => {
    const native = nativeOps();
    const { losses, slope } =
      native === null ? composed(input as tf.Tensor2D, labels) : fused(native, input as tf.Tensor2D, labels);
    (save as tf.GradSaveFunc)([slope]);
    return {
      value: losses,
      gradFunc: (dy: tf.Tensor, saved: tf.Tensor[]) => tf.mul(tf.expandDims(dy, -1), saved[0] as tf.Tensor),
    };
  })(logits) as tf.Tensor1D;
}

interface LossesAndSlope {
  readonly losses: tf.Tensor1D;
  /** The derivative of each row's loss by its logits: softmax * sum of labels - labels. */
  readonly slope: tf.Tensor2D;
}

function composed(logits: tf.Tensor2D, labels: tf.Tensor2D): LossesAndSlope {
  const logs = tf.logSoftmax(logits);
  const losses = tf.neg(tf.sum<tf.Tensor1D>(tf.mul(labels, logs), -1));
  return { losses, slope: tf.sub(tf.mul(tf.exp(logs), tf.sum(labels, -1, true)), labels) };
}

/** The operation takes rows of labels to sum to 1; its slope is put right for those that do not. */
function fused(native: NativeOps, logits: tf.Tensor2D, labels: tf.Tensor2D): LossesAndSlope {
  const attrs = [native.type('T', 'float32')];
  const [losses, slope] = native.runMany('SoftmaxCrossEntropyWithLogits', [logits, labels], attrs, 2);
  const excess = tf.sub(tf.sum(labels, -1, true), 1);
  const probabilities = tf.add(slope as tf.Tensor2D, labels);
  return { losses: losses as tf.Tensor1D, slope: tf.add(slope as tf.Tensor2D, tf.mul(probabilities, excess)) };
}
