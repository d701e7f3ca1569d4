/** Cross entropy against class indices, and its gradient. */
import * as tf from '@tensorflow/tfjs-core';
import { nativeOps } from '#native-ops';
import { softmaxCrossEntropy } from './softmax-cross-entropy';

/**
 * Cross entropy of softmaxed logits against classes, one loss per row; needs no one-hot labels where the engine can do
 * without.
 * @param logits float32 [N, K].
 * @param labels int32 [N], from 0 to K - 1.
 * @returns float32 [N], `-log(softmax(logits)[label])`.
 */
export function sparseSoftmaxCrossEntropy(logits: tf.Tensor2D, labels: tf.Tensor1D): tf.Tensor1D {
  const native = nativeOps();
  if (native === null) {
    return tf.tidy(() =>
      softmaxCrossEntropy(logits, tf.cast(tf.oneHot(labels, logits.shape[1]) as tf.Tensor2D, 'float32')),
    );
  }
  return tf.customGrad((input, save) => {
    const attrs = [native.type('T', 'float32'), native.type('Tlabels', 'int32')];
    const inputs = [input as tf.Tensor, labels];
    const [losses, slope] = native.runMany('SparseSoftmaxCrossEntropyWithLogits', inputs, attrs, 2);
    (save as tf.GradSaveFunc)([slope!]);
    return {
      value: losses!,
      gradFunc: (dy: tf.Tensor, saved: tf.Tensor[]) => tf.mul(tf.expandDims(dy, -1), saved[0] as tf.Tensor),
    };
  })(logits) as tf.Tensor1D;
}
