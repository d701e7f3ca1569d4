/** Head of RetinaNet (Lin et al. 2017, section 4): anchors learn by their overlap, boxes by smooth L1 of their deltas. */
import * as tf from '@tensorflow/tfjs-core';
import { encodeDeltas } from '@pyramidal/boxes';
import {
  DenseHead,
  type DenseHeadOptions,
  type DenseImage,
  type DenseMaps,
  type ImageAnchors,
  sumOver,
} from '@pyramidal/dense';
import type { ImageTruth } from '@pyramidal/detector';
import { smoothL1 } from '@pyramidal/losses';
import { matchBoxes, type MatchOptions } from '@pyramidal/matching';
import type { Conv2d } from '@pyramidal/nn';

export interface RetinaHeadOptions extends DenseHeadOptions {
  /** Anchors that are neither background nor an object do not take part. */
  readonly match: MatchOptions;
  /** Of the smooth L1 loss; 0 is L1. */
  readonly beta: number;
}

export class RetinaHead extends DenseHead<never, 'box'> {
  readonly retinaCls: Conv2d;
  readonly retinaReg: Conv2d;

  constructor(private readonly options: RetinaHeadOptions) {
    super(options);
    this.retinaCls = this.classConv();
    this.retinaReg = this.lastConv(4);
  }

  protected override predictLevel(forClasses: tf.Tensor4D, forBoxes: tf.Tensor4D): DenseMaps {
    return { logits: this.retinaCls.forward(forClasses), deltas: this.retinaReg.forward(forBoxes) };
  }

  protected override assign({ anchors, included }: ImageAnchors, truth: ImageTruth): tf.Tensor1D {
    return matchBoxes(anchors, truth, this.options.match, included).assigned;
  }

  /** Smooth L1 over the positives, divided by their number. */
  protected override boxLosses(images: readonly DenseImage[], positives: tf.Scalar) {
    const sum = sumOver(images, (image) => {
      const distance = tf.sum(smoothL1(image.rows.deltas, this.deltaTargets(image), this.options.beta), 1);
      return tf.sum(tf.mul(distance, tf.cast(image.targets.positive, 'float32')));
    });
    return { box: tf.div<tf.Scalar>(sum, positives) };
  }

  /** float32 [A, 4], zeros for background. */
  private deltaTargets({ anchors, targets: { boxes, positive } }: DenseImage): tf.Tensor2D {
    return tf.tidy(() => {
      const deltas = encodeDeltas(anchors, boxes, this.options.deltas);
      return tf.where(tf.expandDims(positive, 1), deltas, tf.zerosLike(deltas));
    });
  }
}
