/** The objects of a batch as set predictors see them, and what each query is to predict of them. */
import * as tf from '@tensorflow/tfjs-core';
import { extents, takeRows, toCentres } from '@pyramidal/boxes';
import type { TruthBatch } from '@pyramidal/detector';
import { overWorkers } from '@pyramidal/kernels';
import { truthRowsOf } from '@pyramidal/matching';

/** Objects of every image in G rows; or, for each query, what it is to predict. */
export interface SetTruth {
  /** int32 [N, G], -1 where a row is no object. */
  readonly labels: tf.Tensor2D;
  /** float32 [N, G, 4], centre and size over those of the image. */
  readonly boxes: tf.Tensor3D;
}

/** @param sizes float32 [N, 2], (height, width) of the images, in whose pixels the truth is. */
export function setTruthOf({ boxes, labels }: Pick<TruthBatch, 'boxes' | 'labels'>, sizes: tf.Tensor2D): SetTruth {
  return tf.tidy(() => ({ labels, boxes: toCentres(tf.div<tf.Tensor3D>(boxes, extents(sizes))) }));
}

/**
 * What every query is to predict.
 * @param assigned int32 [N, Q], `BACKGROUND`, or k for the object in row k - 1.
 * @returns a row for each query; the boxes of background hold anything finite.
 */
export function targetsOf({ labels, boxes }: SetTruth, assigned: tf.Tensor2D): SetTruth {
  return tf.tidy(() => {
    const [images, queries] = assigned.shape;
    const rows = labels.shape[1];
    const first = tf.reshape(tf.range(0, images * rows, rows, 'int32'), [images, 1]);
    const own = truthRowsOf(tf.reshape(assigned, [-1]));
    const at = tf.reshape<tf.Rank.R1>(tf.add(tf.reshape(own, [images, queries]), first), [-1]);
    const taken = tf.reshape<tf.Rank.R2>(takeRows(tf.reshape<tf.Rank.R1>(labels, [-1]), at), [images, queries]);
    return {
      labels: tf.where(tf.greater(assigned, 0), taken, tf.fill([images, queries], -1, 'int32')),
      boxes: tf.reshape<tf.Rank.R3>(takeRows(tf.reshape<tf.Rank.R2>(boxes, [-1, 4]), at), [images, queries, 4]),
    };
  });
}

/** The number of objects of a batch, by which losses are divided: one at least; of several workers, each one's share. */
export function countObjects({ labels }: SetTruth): tf.Scalar {
  return tf.tidy(() => overWorkers.count(tf.sum(tf.cast(tf.greaterEqual(labels, 0), 'float32')), 1));
}
