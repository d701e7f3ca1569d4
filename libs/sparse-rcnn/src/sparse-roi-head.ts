/** Stages of dynamic heads (Sparse R-CNN, section 3.3), each of which looks where the one before says that objects are. */
import * as tf from '@tensorflow/tfjs-core';
import { decodeDeltas, type DeltaOptions, detached, takeRows } from '@pyramidal/boxes';
import { bestPairs, type Detections, imagesOf, toOriginal } from '@pyramidal/detector';
import { type ForwardPass, Module } from '@pyramidal/nn';
import { joinRois, RoiFeatures } from '@pyramidal/rois';
import { DiiHead, type DiiHeadOptions } from './dii-head';
import type { Proposals } from './proposals';
import type { SetPrediction } from './set-loss';

export interface SparseRoiHeadOptions extends DiiHeadOptions {
  readonly stages: number;
  /** Points per bin and axis of RoIAlign. */
  readonly sampling: number;
  readonly deltas: DeltaOptions;
}

export class SparseRoiHead extends Module {
  readonly bboxHead: DiiHead[];
  private readonly regions: RoiFeatures;
  private readonly options: SparseRoiHeadOptions;

  /** @param strides of the pyramid's maps, finest first. */
  constructor(strides: readonly number[], options: SparseRoiHeadOptions) {
    super();
    const { stages, sampling, deltas: _deltas, ...head } = options;
    this.bboxHead = Array.from({ length: stages }, () => new DiiHead(head));
    this.regions = new RoiFeatures(strides, sampling);
    this.options = options;
  }

  /**
   * What every stage predicts. Features keep their gradient from stage to stage, boxes do not.
   * @param maps float32 [N, H, W, C] each, finest first.
   */
  forward(maps: readonly tf.Tensor4D[], proposals: Proposals, pass: ForwardPass): SetPrediction[] {
    const { bins, deltas: coder } = this.options;
    let { boxes, features } = proposals;
    return this.bboxHead.map((head) => {
      const rois = this.regions.of({ maps }, joinRois(tf.unstack(boxes) as tf.Tensor2D[]), bins);
      const output = head.forward(features, rois, pass);
      const moved = decodeDeltas(boxes, output.deltas, coder);
      boxes = detached(() => tf.clone(moved));
      ({ features } = output);
      return { logits: output.logits, boxes: moved };
    });
  }
}

/**
 * The best scores of all classes of all predictions; nothing is suppressed.
 * @param scales float32 [N, 2], (y, x): the network's input over the original images. @param count D, of an image.
 */
export function bestOfSet({ logits, boxes }: SetPrediction, scales: tf.Tensor2D, count: number): Detections[] {
  return tf.tidy(() =>
    imagesOf({ scores: tf.sigmoid(logits), boxes, scales }).map((own) => {
      const { rows, labels, scores } = bestPairs(own.scores, count);
      const found = toOriginal(takeRows(own.boxes, rows), own.scales);
      return { boxes: found, scores, labels, valid: tf.ones<tf.Rank.R1>(rows.shape, 'bool') };
    }),
  );
}
