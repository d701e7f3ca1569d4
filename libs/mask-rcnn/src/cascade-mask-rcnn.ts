/** Cascade Mask R-CNN (Cai & Vasconcelos 2019) on a feature pyramid, with MMDetection's semantics and names. */
import * as tf from '@tensorflow/tfjs-core';
import {
  type DetectionLosses,
  Detector,
  type DrawKeys,
  type ImageBatch,
  type Neck,
  type TruthBatch,
  truthOfImages,
} from '@pyramidal/boxes';
import type { Backbone, ForwardPass } from '@pyramidal/nn';
import { type MaskDetections, RoiHead, type RoiHeadOptions, type StageLosses } from './roi-head';
import { type ProposalOptions, RpnHead, type RpnOptions } from './rpn';

export interface CascadeMaskRcnnOptions extends RoiHeadOptions {
  readonly anchors: { readonly scales: readonly number[]; readonly ratios: readonly number[] };
  readonly rpn: Omit<RpnOptions, 'channels' | 'anchors'>;
  readonly trainProposals: ProposalOptions;
  readonly testProposals: ProposalOptions;
}

export class CascadeMaskRcnn extends Detector {
  readonly rpnHead: RpnHead;
  readonly roiHead: RoiHead;
  readonly #options: CascadeMaskRcnnOptions;

  constructor(backbone: Backbone, neck: Neck, options: CascadeMaskRcnnOptions) {
    super(backbone, neck);
    const { channels, strides } = neck;
    this.rpnHead = new RpnHead({ ...options.rpn, channels, anchors: { ...options.anchors, strides } });
    this.roiHead = new RoiHead(neck, options);
    this.#options = options;
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
    const proposals = this.rpnHead.propose(levels, sizes, this.#options.trainProposals);
    const [masks, regions] = [tf.unstack(truth.masks) as tf.Tensor3D[], tf.unstack(truth.regions) as tf.Tensor2D[]];
    const known = objects.map((own, i) => ({ objects: own, masks: { masks: masks[i]!, regions: regions[i]! } }));
    const stages = this.roiHead.loss({ maps, sizes }, proposals, known, drawKeys, pass);
    return total({ rpnObjectness: rpn.objectness, rpnBox: rpn.box }, stages);
  }

  override predict({ images, sizes }: ImageBatch, scales: tf.Tensor2D, pass: ForwardPass): MaskDetections[] {
    return tf.tidy(() => {
      const maps = this.pyramid(images, pass);
      const proposals = this.rpnHead.propose(this.rpnHead.forward(maps), sizes, this.#options.testProposals);
      return this.roiHead.predict({ maps, sizes }, proposals, scales, pass);
    });
  }
}

/** All losses and their sum, then the accuracies; names of a cascade's stages end in 1, 2, 3. */
function total(rpn: Readonly<Record<string, tf.Scalar>>, stages: readonly StageLosses[]): DetectionLosses {
  const number = (stage: number): string => (stages.length === 1 ? '' : `${stage + 1}`);
  const named = (keys: readonly (keyof StageLosses)[]): [string, tf.Scalar][] =>
    stages.flatMap((losses, stage) => keys.map((key): [string, tf.Scalar] => [key + number(stage), losses[key]]));
  const parts = { ...rpn, ...Object.fromEntries(named(['boxClass', 'box', 'mask'])) };
  return { loss: tf.addN(Object.values(parts)), ...parts, ...Object.fromEntries(named(['accuracy'])) };
}
