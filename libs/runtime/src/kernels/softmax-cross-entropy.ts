import * as tf from '@tensorflow/tfjs-core';

/**
 * Cross entropy of softmaxed logits against class probabilities, one loss per row.
 * @param logits float32 [N, K].
 * @param labels float32 [N, K], one-hot or soft; receives no gradient.
 * @returns float32 [N], `-sum_k labels * log(softmax(logits))`.
 */
export function softmaxCrossEntropy(logits: tf.Tensor2D, labels: tf.Tensor2D): tf.Tensor1D {
  return tf.customGrad((input, save) => {
    const logProbabilities = tf.logSoftmax(input as tf.Tensor2D);
    (save as tf.GradSaveFunc)([logProbabilities, labels]);
    return {
      value: tf.neg(tf.sum(tf.mul(labels, logProbabilities), -1)),
      gradFunc: (dy: tf.Tensor, saved: tf.Tensor[]) => {
        const [logs, targets] = saved as [tf.Tensor, tf.Tensor];
        const probabilities = tf.mul(tf.exp(logs), tf.sum(targets, -1, true));
        return tf.mul(tf.expandDims(dy, -1), tf.sub(probabilities, targets));
      },
    };
  })(logits) as tf.Tensor1D;
}
