/**
 * The two-stage detector (Ren et al. 2015) on a feature pyramid (Lin et al. 2017), with MMDetection's semantics and
 * names: a region proposal network, then heads on the proposals. Faster, Mask and Cascade R-CNN are settings of it.
 */
import * as tf from '@tensorflow/tfjs-core';
import {
  type DetectionLosses,
  type Detections,
  Detector,
  type DrawKeys,
  type ImageBatch,
  masksOfImages,
  type TruthBatch,
  truthOfImages,
} from '@pyramidal/detector';
import type { Backbone, ForwardPass, Neck } from '@pyramidal/nn';
import { maskSide } from './mask-branch';
import { RoiHead, type RoiHeadOptions, type StageLosses } from './roi-head';
import { type ProposalOptions, RpnHead, type RpnOptions } from './rpn';

export interface TwoStageOptions extends RoiHeadOptions {
  readonly anchors: { readonly scales: readonly number[]; readonly ratios: readonly number[] };
  readonly rpn: Omit<RpnOptions, 'channels' | 'anchors' | 'padding'>;
  readonly trainProposals: ProposalOptions;
  readonly testProposals: ProposalOptions;
}

/** A published detector's settings; the number of classes is the data's. */
export type TwoStageSettings = Omit<TwoStageOptions, 'classes'>;

export class TwoStageDetector extends Detector {
  readonly rpnHead: RpnHead;
  readonly roiHead: RoiHead;
  private readonly options: TwoStageOptions;

  /** @param neck a pyramid whose first maps are those of the backbone's levels. */
  constructor(backbone: Backbone, neck: Neck, options: TwoStageOptions) {
    super(backbone, neck, options.mask && maskSide(options.mask));
    const { channels, strides } = neck;
    const anchors = { ...options.anchors, strides };
    this.rpnHead = new RpnHead({ ...options.rpn, channels, anchors, padding: backbone.levels.C5.stride });
    this.roiHead = new RoiHead(neck, options);
    this.options = options;
  }

  /**
   * Losses of a batch; static with a fixed `sampling`, so that a whole training step compiles.
   * @param drawKeys decides which anchors and RoIs are learned from.
   */
  override loss(
    { images, sizes }: ImageBatch,
    truth: TruthBatch,
    drawKeys: DrawKeys,
    pass: ForwardPass,
  ): DetectionLosses {
    const maps = this.pyramid(images, pass);
    const objects = truthOfImages(truth);
    const levels = this.rpnHead.forward(maps);
    const rpn = this.rpnHead.loss(levels, objects, sizes, drawKeys);
    const proposals = this.rpnHead.propose(levels, sizes, this.options.trainProposals);
    const known = { objects, ...(this.predictsMasks && { masks: masksOfImages(truth) }) };
    const stages = this.roiHead.loss({ maps, sizes }, proposals, known, drawKeys, pass);
    return total({ rpnObjectness: rpn.objectness, rpnBox: rpn.box }, stages);
  }

  override predict({ images, sizes }: ImageBatch, scales: tf.Tensor2D, pass: ForwardPass): Detections[] {
    return tf.tidy(() => {
      const maps = this.pyramid(images, pass);
      const proposals = this.rpnHead.propose(this.rpnHead.forward(maps), sizes, this.options.testProposals);
      return this.roiHead.predict({ maps, sizes }, proposals, scales, pass);
    });
  }
}

/** All losses and their sum, then the accuracies; names of a cascade's stages end in 1, 2, 3. */
function total(rpn: Readonly<Record<string, tf.Scalar>>, stages: readonly StageLosses[]): DetectionLosses {
  const parts: Record<string, tf.Scalar> = { ...rpn };
  const accuracies: Record<string, tf.Scalar> = {};
  stages.forEach(({ accuracy, ...losses }, stage) => {
    const number = stages.length === 1 ? '' : `${stage + 1}`;
    for (const [name, loss] of Object.entries(losses)) parts[name + number] = loss;
    accuracies[`accuracy${number}`] = accuracy;
  });
  return { loss: tf.addN(Object.values(parts)), ...parts, ...accuracies };
}
