/**
 * Sparse R-CNN (Sun et al. 2021) on levels P2 to P5 of a feature pyramid, with MMDetection's semantics and names: a few
 * learned proposals in the place of anchors, and neither sampling nor suppression.
 */
import * as tf from '@tensorflow/tfjs-core';
import {
  type DetectionLosses,
  type Detections,
  Detector,
  type DetectorDefinition,
  type DrawKeys,
  fields,
  type ImageBatch,
  type TruthBatch,
  truthOfImages,
} from '@pyramidal/detector';
import { Fpn } from '@pyramidal/fpn';
import { type Backbone, type ForwardPass, LEVELS, type Neck } from '@pyramidal/nn';
import { z } from 'zod';
import { INITIAL_BOX_NAMES, type InitialBoxes, LearnedProposals } from './proposals';
import { setLoss, type SetLossOptions } from './set-loss';
import { bestOfSet, SparseRoiHead, type SparseRoiHeadOptions } from './sparse-roi-head';

export interface SparseRcnnOptions extends Omit<SparseRoiHeadOptions, 'channels'>, SetLossOptions {
  readonly proposals: number;
  readonly initialBoxes: InitialBoxes;
  /** D, of an image. */
  readonly detections: { readonly count: number };
}

/** MMDetection's published settings, of the form with 300 proposals; the number of classes is the data's. */
export const SPARSE_RCNN = {
  proposals: 300,
  initialBoxes: 'image',
  stages: 6,
  bins: 7,
  sampling: 2,
  heads: 8,
  hidden: 2048,
  dynamic: 64,
  clsLayers: 1,
  regLayers: 3,
  deltas: { stds: [0.5, 0.5, 1, 1] },
  focal: { alpha: 0.25, gamma: 2 },
  costs: { class: 2, box: 5, giou: 2 },
  weights: { class: 2, box: 5, giou: 2 },
  detections: { count: 300 },
} as const satisfies Omit<SparseRcnnOptions, 'classes'>;

export class SparseRcnn extends Detector {
  readonly rpnHead: LearnedProposals;
  readonly roiHead: SparseRoiHead;
  private readonly options: SparseRcnnOptions;

  /** @param neck a pyramid of levels P2 to P5. */
  constructor(backbone: Backbone, neck: Neck, options: SparseRcnnOptions) {
    super(backbone, neck);
    const { channels, strides } = neck;
    this.rpnHead = new LearnedProposals(options.proposals, channels, options.initialBoxes);
    this.roiHead = new SparseRoiHead(strides, { ...options, channels });
    this.options = options;
  }

  /** Every stage learns, each by its own matches; nothing is drawn at random. Names end in the stage's number. */
  override loss(batch: ImageBatch, truth: TruthBatch, _drawKeys: DrawKeys, pass: ForwardPass): DetectionLosses {
    const objects = truthOfImages(truth);
    const parts = this.predictions(batch, pass).flatMap((prediction, stage) => {
      const losses = setLoss(prediction, objects, batch.sizes, this.options);
      return Object.entries(losses).map(([name, loss]) => [`${name}${stage + 1}`, loss as tf.Scalar] as const);
    });
    return { loss: tf.addN(parts.map(([, loss]) => loss)), ...Object.fromEntries(parts) };
  }

  override predict(batch: ImageBatch, scales: tf.Tensor2D, pass: ForwardPass): Detections[] {
    return tf.tidy(() => bestOfSet(this.predictions(batch, pass).at(-1)!, scales, this.options.detections.count));
  }

  /** Stage by stage. */
  private predictions({ images, sizes }: ImageBatch, pass: ForwardPass) {
    return this.roiHead.forward(this.pyramid(images, pass), this.rpnHead.forward(sizes), pass);
  }
}

const { count } = fields;

const schema = z.strictObject({
  proposals: count.default(SPARSE_RCNN.proposals).describe('Boxes that are learned to start from.'),
  initialBoxes: z
    .enum(INITIAL_BOX_NAMES)
    .default(SPARSE_RCNN.initialBoxes)
    .describe('Where they are before training: each over the whole image, or side by side as a regular grid.'),
  stages: count.default(SPARSE_RCNN.stages).describe('Times that boxes are moved.'),
  heads: count
    .default(SPARSE_RCNN.heads)
    .describe("Heads of the proposals' attention; they divide the neck's channels."),
  hidden: count.default(SPARSE_RCNN.hidden).describe('Width of the feed-forward networks.'),
  dynamic: count.default(SPARSE_RCNN.dynamic).describe('Width between the convolutions that each proposal makes.'),
  detections: fields.bestDetections(SPARSE_RCNN.detections),
});

/** Sparse R-CNN by the name that a configuration gives. */
export const sparseRcnn: DetectorDefinition<typeof schema> = {
  predictsMasks: false,
  schema,
  create(settings, { backbone, neckChannels: channels, classes }) {
    const levels = LEVELS.map((level) => backbone.levels[level]);
    const neck = new Fpn({ levels, channels, outputs: levels.length });
    return new SparseRcnn(backbone, neck, { ...SPARSE_RCNN, ...settings, classes });
  },
};
