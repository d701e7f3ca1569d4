/** A batch for detectors to learn from that no data set is needed for. */
import * as tf from '@tensorflow/tfjs-core';

/** Rows of ground truth of a usual image, and the sides of their masks. */
const [ROWS, CROWDS, MASK_SIDE] = [16, 4, 112];

/** Noise with usual numbers of objects; the caller's to dispose. */
export function randomBatch(
  { batch, height, width }: { readonly batch: number; readonly height: number; readonly width: number },
  classes: number,
) {
  return tf.tidy(() => {
    const side = Math.min(height, width);
    const corners = tf.randomUniform([batch, ROWS, 2], 0, 0.6 * side, 'float32', 1);
    const sides = tf.randomUniform([batch, ROWS, 2], 0.05 * side, 0.4 * side, 'float32', 2);
    const boxes = tf.concat([corners, tf.add(corners, sides)], -1) as tf.Tensor3D;
    const labels = Array.from({ length: batch * ROWS }, (_, i) => i % classes);
    return {
      images: tf.randomNormal<tf.Rank.R4>([batch, height, width, 3], 0, 1, 'float32', 3),
      sizes: tf.tensor2d(Array.from({ length: batch }, () => [height, width])),
      boxes,
      labels: tf.tensor2d(labels, [batch, ROWS], 'int32'),
      masks: tf.ones<tf.Rank.R4>([batch, ROWS, MASK_SIDE, MASK_SIDE]),
      regions: tf.clone(boxes),
      ignored: tf.zeros<tf.Rank.R3>([batch, CROWDS, 4]),
    };
  });
}
