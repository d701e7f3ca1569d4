/** Class heads with more rows than the data has classes: published ones count COCO's ids, which leave gaps. */
import * as tf from '@tensorflow/tfjs-core';
import { takeRows } from '@pyramidal/boxes';
import type { SetTruth } from './set-truth';

export class CategoryRows {
  /** Rows of the class heads. */
  readonly count: number;

  /**
   * @param rows of the classes, in their order; the first ones by default.
   * @throws RangeError if there are not as many rows as classes, or one twice.
   */
  constructor(
    classes: number,
    private readonly rows?: readonly number[],
  ) {
    if (rows !== undefined && (rows.length !== classes || new Set(rows).size !== classes)) {
      throw new RangeError(
        `categoryRows: expected ${classes} different rows, one a class, received ${rows.join(', ')}`,
      );
    }
    this.count = rows === undefined ? classes : Math.max(...rows) + 1;
  }

  /** Objects with their rows as labels. */
  ofTruth(truth: SetTruth): SetTruth {
    const { rows } = this;
    if (rows === undefined) return truth;
    return tf.tidy(() => {
      const labels: tf.Tensor1D = tf.reshape(truth.labels, [-1]);
      const own = takeRows(tf.tensor1d([...rows], 'int32'), tf.relu(labels));
      const isObject = tf.greaterEqual(labels, 0);
      const known = tf.where(isObject, own, tf.fill(labels.shape, -1, 'int32'));
      return { ...truth, labels: tf.reshape<tf.Rank.R2>(known, truth.labels.shape) };
    });
  }

  /** Logits of the classes alone. @param logits float32 [N, Q, count]. @returns float32 [N, Q, classes]. */
  ofLogits(logits: tf.Tensor3D): tf.Tensor3D {
    const { rows } = this;
    if (rows === undefined) return logits;
    return tf.tidy(() => {
      const [images, queries, count] = logits.shape;
      const perRow = tf.transpose(tf.reshape<tf.Rank.R2>(logits, [-1, count]));
      const own = takeRows(perRow, tf.tensor1d([...rows], 'int32'));
      return tf.reshape(tf.transpose(own), [images, queries, rows.length]);
    });
  }
}
