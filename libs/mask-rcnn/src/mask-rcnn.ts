/** Mask R-CNN (He et al. 2017) on a feature pyramid, with MMDetection's semantics and names. */
import * as tf from '@tensorflow/tfjs-core';
import {
  type DetectionOptions,
  type Detections,
  Detector,
  type DrawKeys,
  type ImageBatch,
  type Neck,
  type TruthBatch,
  truthOfImages,
} from '@pyramidal/boxes';
import { type Backbone, type ForwardPass, Module } from '@pyramidal/nn';
import { BoxHead, type BoxHeadOptions } from './box-head';
import { detect } from './detect';
import { MaskHead, type MaskHeadOptions, ownMasks } from './mask-head';
import { maskTargets } from './mask-targets';
import type { Rois } from './roi-align';
import { extractRois } from './roi-extractor';
import { type RoiSampling, type RoiTargets, sampleRois } from './roi-targets';
import { type Proposals, type ProposalOptions, RpnHead, type RpnOptions } from './rpn';

export interface MaskRcnnOptions {
  readonly classes: number;
  readonly anchors: { readonly scales: readonly number[]; readonly ratios: readonly number[] };
  readonly rpn: Omit<RpnOptions, 'channels' | 'anchors'>;
  readonly trainProposals: ProposalOptions;
  readonly testProposals: ProposalOptions;
  /** RoIs to learn from. */
  readonly rois: RoiSampling;
  readonly box: Omit<BoxHeadOptions, 'classes' | 'channels'>;
  readonly mask: Omit<MaskHeadOptions, 'classes' | 'channels'> & {
    /** Side of the mask head's RoI features; masks are twice as large. */
    readonly bins: number;
    /** Points per bin and axis with which ground truth masks are averaged. */
    readonly targetSampling: number | 'adaptive';
  };
  /** Points per bin and axis of RoIAlign: 2, or 'adaptive' as published checkpoints expect (not in compiled steps). */
  readonly sampling: number | 'adaptive';
  readonly detections: DetectionOptions;
}

/** The published settings of Mask R-CNN with FPN; `classes` is the data's. */
export const MASK_RCNN_DEFAULTS = {
  anchors: { scales: [8], ratios: [0.5, 1, 2] },
  rpn: {
    match: { positiveIou: 0.7, negativeIou: 0.3, lowQuality: { minIou: 0.3 } },
    sample: { count: 256, positiveShare: 0.5 },
    allowedBorder: -1,
    beta: 0,
  },
  trainProposals: { perLevel: 2000, count: 1000, iouThreshold: 0.7 },
  testProposals: { perLevel: 1000, count: 1000, iouThreshold: 0.7 },
  rois: {
    match: { positiveIou: 0.5, negativeIou: 0.5, lowQuality: { minIou: 0.5 } },
    sample: { count: 512, positiveShare: 0.25 },
  },
  box: {
    bins: 7,
    hidden: 1024,
    deltas: { stds: [0.1, 0.1, 0.2, 0.2] },
    boxLoss: { kind: 'smooth-l1', beta: 0 },
  },
  mask: { bins: 14, convs: 4, hidden: 256, targetSampling: 4 },
  sampling: 2,
  detections: { scoreThreshold: 0.05, iouThreshold: 0.5, count: 100 },
} as const satisfies Omit<MaskRcnnOptions, 'classes'>;

/** Losses of the parts, which add up, and the share of the sampled RoIs whose class comes out right, in percent. */
export type MaskRcnnLosses = Readonly<
  Record<'loss' | 'rpnObjectness' | 'rpnBox' | 'boxClass' | 'box' | 'mask' | 'accuracy', tf.Scalar>
>;

/** Detections of one image with their masks. */
export type MaskDetections = Detections & {
  /** Probabilities of each detection's own class, float32 [D, side, side], over its box. */
  masks: tf.Tensor3D;
};

class RoiHead extends Module {
  readonly bboxHead: BoxHead;
  readonly maskHead: MaskHead;

  constructor(channels: number, { classes, box, mask }: MaskRcnnOptions) {
    super();
    this.bboxHead = new BoxHead({ ...box, classes, channels });
    this.maskHead = new MaskHead({ ...mask, classes, channels });
  }
}

/** RoIs are read from the levels of the backbone, not from those beyond. */
const ROI_LEVELS = 4;

export class MaskRcnn extends Detector {
  readonly rpnHead: RpnHead;
  readonly roiHead: RoiHead;
  readonly options: MaskRcnnOptions;

  constructor(backbone: Backbone, neck: Neck, options: MaskRcnnOptions) {
    super(backbone, neck);
    this.options = options;
    const { channels, strides } = neck;
    this.rpnHead = new RpnHead({ ...options.rpn, channels, anchors: { ...options.anchors, strides } });
    this.roiHead = new RoiHead(channels, options);
  }

  /**
   * Losses of a batch; static with a fixed `sampling`, so that a whole training step compiles.
   * @param drawKeys decides which anchors and RoIs are learned from.
   */
  loss({ images, sizes }: ImageBatch, truth: TruthBatch, drawKeys: DrawKeys, pass: ForwardPass): MaskRcnnLosses {
    const maps = this.pyramid(images, pass);
    const objects = truthOfImages(truth);
    const levels = this.rpnHead.forward(maps);
    const rpn = this.rpnHead.loss(levels, objects, sizes, drawKeys);
    const proposals = this.rpnHead.propose(levels, sizes, this.options.trainProposals);
    const targets = proposals.map((found, image) => {
      return sampleRois(found, objects[image]!, this.options.classes, this.options.rois, drawKeys);
    });
    const box = this.#boxLosses(maps, targets, pass);
    const mask = this.#maskLoss(maps, targets, truth, sizes, pass);
    const parts = { rpnObjectness: rpn.objectness, rpnBox: rpn.box, boxClass: box.class, box: box.box, mask };
    return { loss: tf.addN(Object.values(parts)), ...parts, accuracy: box.accuracy };
  }

  /**
   * Detections of every image, their boxes in pixels of the original images.
   * @param scales float32 [N, 2], (y, x): sides of the network's input over those of the original image.
   */
  predict({ images, sizes }: ImageBatch, scales: tf.Tensor2D, pass: ForwardPass): MaskDetections[] {
    return tf.tidy(() => {
      const maps = this.pyramid(images, pass);
      const proposals = this.rpnHead.propose(this.rpnHead.forward(maps), sizes, this.options.testProposals);
      const found = this.#detectBoxes(maps, proposals, sizes, scales, pass);
      const perImage = tf.unstack(scales) as tf.Tensor1D[];
      const rois = found.map(({ boxes }, image): tf.Tensor2D =>
        tf.mul(boxes, tf.tile(tf.reverse(perImage[image]!), [2])),
      );
      const logits = this.roiHead.maskHead.forward(this.#maskFeatures(maps, roisOf(rois)), pass);
      const masks = tf.sigmoid(ownMasks(logits, tf.concat(found.map(({ labels }) => labels))));
      const split = splitRows(masks, rois.map((boxes) => boxes.shape[0])); // prettier-ignore
      return found.map((detections, image) => ({ ...detections, masks: split[image]! }));
    });
  }

  #detectBoxes(
    maps: readonly tf.Tensor4D[],
    proposals: readonly Proposals[],
    sizes: tf.Tensor2D,
    scales: tf.Tensor2D,
    pass: ForwardPass,
  ): Detections[] {
    const features = this.#boxFeatures(maps, roisOf(proposals.map(({ boxes }) => boxes)));
    const { logits, deltas } = this.roiHead.bboxHead.forward(features, pass);
    const counts = proposals.map(({ boxes }) => boxes.shape[0]);
    const [ownLogits, ownDeltas] = [splitRows(logits, counts), splitRows(deltas, counts)];
    return proposals.map(({ boxes, valid }, image) => {
      const [size, scale] = [sizes, scales].map((pairs) => tf.reshape(tf.slice(pairs, image, 1), [2])) as [
        tf.Tensor1D,
        tf.Tensor1D,
      ];
      const output = { logits: ownLogits[image]!, deltas: ownDeltas[image]! };
      return detect(output, { boxes, valid, size, scale }, this.roiHead.bboxHead.options, this.options.detections);
    });
  }

  #boxLosses(maps: readonly tf.Tensor4D[], targets: readonly RoiTargets[], pass: ForwardPass) {
    const { bboxHead } = this.roiHead;
    const output = bboxHead.forward(this.#boxFeatures(maps, roisOf(targets.map(({ boxes }) => boxes))), pass);
    return bboxHead.loss(output, joinTargets(targets));
  }

  /** Learns from the slots that positives can take. */
  #maskLoss(
    maps: readonly tf.Tensor4D[],
    targets: readonly RoiTargets[],
    truth: TruthBatch,
    sizes: tf.Tensor2D,
    pass: ForwardPass,
  ): tf.Scalar {
    const { maskHead } = this.roiHead;
    const { bins, targetSampling: sampling } = this.options.mask;
    const front = targets.map((image) => {
      const first = <T extends tf.Tensor>(values: T): T => tf.slice(values, 0, image.positiveSlots);
      const { boxes, truthRows, labels, positive } = image;
      return { boxes: first(boxes), rows: first(truthRows), labels: first(labels), positive: first(positive) };
    });
    const [masks, regions, canvas] = [tf.unstack(truth.masks), tf.unstack(truth.regions), tf.unstack(sizes)];
    const wanted = front.map(({ boxes, rows }, image) => {
      const own = { masks: masks[image] as tf.Tensor3D, regions: regions[image] as tf.Tensor2D };
      return maskTargets(own, boxes, rows, canvas[image] as tf.Tensor1D, { side: 2 * bins, sampling });
    });
    const logits = maskHead.forward(this.#maskFeatures(maps, roisOf(front.map(({ boxes }) => boxes))), pass);
    const join = (values: tf.Tensor1D[]): tf.Tensor1D => tf.concat(values);
    return maskHead.loss(
      logits,
      tf.concat(wanted),
      join(front.map(({ labels }) => labels)),
      join(front.map(({ positive }) => positive)),
    );
  }

  #boxFeatures(maps: readonly tf.Tensor4D[], rois: Rois): tf.Tensor4D {
    return this.#features(maps, rois, this.options.box.bins);
  }

  #maskFeatures(maps: readonly tf.Tensor4D[], rois: Rois): tf.Tensor4D {
    return this.#features(maps, rois, this.options.mask.bins);
  }

  #features(maps: readonly tf.Tensor4D[], rois: Rois, bins: number): tf.Tensor4D {
    const { strides } = this.neck;
    const options = { bins: [bins, bins], sampling: this.options.sampling } as const;
    return extractRois(maps.slice(0, ROI_LEVELS), strides.slice(0, ROI_LEVELS), rois, options);
  }
}

function splitRows<T extends tf.Tensor>(joined: T, counts: number[]): T[] {
  return tf.split(joined, counts);
}

/** The boxes of all images in one list. */
function roisOf(perImage: readonly tf.Tensor2D[]): Rois {
  const images = perImage.map((boxes, image): tf.Tensor1D => tf.fill([boxes.shape[0]], image, 'int32'));
  return { boxes: tf.concat([...perImage]), images: tf.concat(images) };
}

function joinTargets(targets: readonly RoiTargets[]): RoiTargets {
  const join = <T extends tf.Tensor>(part: (image: RoiTargets) => T): T => tf.concat(targets.map(part));
  return {
    boxes: join(({ boxes }) => boxes),
    truthBoxes: join(({ truthBoxes }) => truthBoxes),
    truthRows: join(({ truthRows }) => truthRows),
    labels: join(({ labels }) => labels),
    positive: join(({ positive }) => positive),
    valid: join(({ valid }) => valid),
    positiveSlots: targets.reduce((sum, { positiveSlots }) => sum + positiveSlots, 0),
  };
}
