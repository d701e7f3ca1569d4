/**
 * Head of ATSS (Zhang et al. 2020): one anchor at every cell, chosen for objects by the statistics of their overlaps; boxes learn
 * by GIoU, and centerness tells how near to the middle of its object an anchor lies.
 */
import * as tf from '@tensorflow/tfjs-core';
import { decodeDeltas } from '@pyramidal/boxes';
import {
  DenseHead,
  type DenseHeadOptions,
  type DenseImage,
  type DenseMaps,
  type DenseRows,
  type ImageAnchors,
  sumOver,
} from '@pyramidal/dense';
import type { ImageTruth } from '@pyramidal/detector';
import { overWorkers } from '@pyramidal/kernels';
import { binaryCrossEntropy, giouLoss } from '@pyramidal/losses';
import type { Conv2d } from '@pyramidal/nn';
import { assignAdaptively, type AtssOptions } from './atss-assigner';
import { centerness } from './centerness';
import { Scale } from './scale';

export interface AtssHeadOptions extends DenseHeadOptions {
  readonly assign: AtssOptions;
  /** Of the box loss. */
  readonly boxWeight: number;
}

/** Sums of centerness targets below this divide nothing. */
const MIN_CENTERNESS = 1e-12;

/** The towers' convolutions have group norm, in 32 groups. */
export class AtssHead extends DenseHead<'centerness', 'box' | 'centerness'> {
  readonly atssCls: Conv2d;
  readonly atssReg: Conv2d;
  readonly atssCenterness: Conv2d;
  readonly scales: Scale[];

  constructor(private readonly options: AtssHeadOptions) {
    super(options, 'group');
    this.atssCls = this.classConv();
    this.atssReg = this.lastConv(4);
    this.atssCenterness = this.lastConv(1);
    this.scales = options.anchors.strides.map(() => new Scale());
  }

  protected override predictLevel(
    forClasses: tf.Tensor4D,
    forBoxes: tf.Tensor4D,
    level: number,
  ): DenseMaps<'centerness'> {
    return {
      logits: this.atssCls.forward(forClasses),
      deltas: this.scales[level]!.forward(this.atssReg.forward(forBoxes)),
      centerness: this.atssCenterness.forward(forBoxes),
    };
  }

  protected override assign(anchors: ImageAnchors, truth: ImageTruth): tf.Tensor1D {
    return assignAdaptively(anchors, truth, this.options.assign).assigned;
  }

  /**
   * The GIoU loss of boxes by centerness, divided by the sum of the centerness to be predicted; and the cross entropy of
   * centerness over the positives, divided by their number.
   */
  protected override boxLosses(images: readonly DenseImage<'centerness'>[], positives: tf.Scalar) {
    const { deltas: coder, boxWeight } = this.options;
    const parts = images.map(({ rows, anchors, targets }) => {
      const middle = centernessTargets(anchors, targets);
      const distance = giouLoss(decodeDeltas(anchors, rows.deltas, coder), targets.boxes);
      const cross = binaryCrossEntropy(tf.reshape<tf.Rank.R1>(rows.centerness, [-1]), middle);
      return {
        box: tf.sum<tf.Scalar>(tf.mul(distance, middle)),
        centerness: tf.sum<tf.Scalar>(tf.mul(cross, tf.cast(targets.positive, 'float32'))),
        weight: tf.sum<tf.Scalar>(middle),
      };
    });
    const weight = overWorkers.count(sumOver(parts, (part) => part.weight));
    const divisor = tf.where(tf.less(weight, MIN_CENTERNESS), tf.onesLike(weight), weight);
    const box = tf.div<tf.Scalar>(sumOver(parts, (part) => part.box), divisor); // prettier-ignore
    const cross = sumOver(parts, (part) => part.centerness);
    return { box: tf.mul<tf.Scalar>(box, boxWeight), centerness: tf.div<tf.Scalar>(cross, positives) };
  }

  /** Those of classes by centerness. */
  protected override scoresOf({ logits, centerness: middle }: DenseRows<'centerness'>): tf.Tensor2D {
    return tf.mul(tf.sigmoid(logits), tf.sigmoid(middle));
  }
}

/** float32 [A], 0 for background. */
function centernessTargets(anchors: tf.Tensor2D, { boxes, positive }: DenseImage['targets']): tf.Tensor1D {
  return tf.tidy(() => {
    const middle = centerness(anchors, boxes);
    return tf.where(positive, middle, tf.zerosLike(middle));
  });
}
