/** Boxes that are told relative to a reference, in the inverse sigmoid of both (Deformable DETR, appendix A.4). */
import * as tf from '@tensorflow/tfjs-core';
import { detached } from '@pyramidal/boxes';

/**
 * log(x / (1 - x)) of x cut to [0, 1], neither side of the fraction less than epsilon.
 * @param x float32, any shape.
 */
export function inverseSigmoid<T extends tf.Tensor>(x: T, epsilon: number): T {
  return tf.tidy(() => {
    const share = tf.clipByValue(x, 0, 1);
    return tf.log(tf.div(tf.maximum(share, epsilon), tf.maximum(tf.sub(1, share), epsilon))) as T;
  });
}

/**
 * Boxes by their difference from references.
 * @param references float32 [N, Q, 2] or [N, Q, 4]: centre, or centre and size, in shares of the image.
 * @param deltas float32 [N, Q, 4]; without a reference's size they tell the whole size.
 * @returns float32 [N, Q, 4], centre and size in shares of the image.
 */
export function boxesFrom(references: tf.Tensor3D, deltas: tf.Tensor3D, epsilon: number): tf.Tensor3D {
  return tf.tidy(() => {
    const from = inverseSigmoid(references, epsilon);
    const [images, queries, numbers] = references.shape;
    const whole = numbers === 4 ? from : tf.concat<tf.Tensor3D>([from, tf.zeros([images, queries, 2])], 2);
    return tf.sigmoid(tf.add<tf.Tensor3D>(deltas, whole));
  });
}

/** The same numbers, through which no gradient goes. */
export const withoutGradient = <T extends tf.Tensor>(x: T): T => detached(() => tf.clone(x));
