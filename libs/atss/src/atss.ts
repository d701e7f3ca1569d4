/** ATSS (Zhang et al. 2020) on levels P3 to P7 of a feature pyramid, with MMDetection's semantics and names. */
import * as tf from '@tensorflow/tfjs-core';
import {
  count,
  type DetectionLosses,
  Detector,
  detectionFields,
  type Detections,
  type DetectorDefinition,
  type DetectorParts,
  type DrawKeys,
  ignoreShareSchema,
  type ImageBatch,
  positive,
  type TruthBatch,
  truthOfImages,
} from '@pyramidal/boxes';
import { Fpn } from '@pyramidal/fpn';
import { type Backbone, type ForwardPass, LEVELS, type Neck } from '@pyramidal/nn';
import { z } from 'zod';
import { type AtssDetectionOptions, AtssHead, type AtssHeadOptions } from './atss-head';

export interface AtssDetectorOptions extends Omit<AtssHeadOptions, 'channels' | 'anchors' | 'padding'> {
  /** Sides of the anchors over their level's stride. */
  readonly anchorScale: number;
  readonly detections: AtssDetectionOptions;
}

/** MMDetection's published settings; the number of classes is the data's. */
export const ATSS = {
  anchorScale: 8,
  convs: 4,
  hidden: 256,
  assign: { candidates: 9 },
  deltas: { stds: [0.1, 0.1, 0.2, 0.2] },
  focal: { alpha: 0.25, gamma: 2 },
  boxWeight: 2,
  detections: { perLevel: 1000, scoreThreshold: 0.05, iouThreshold: 0.6, count: 100 },
} as const satisfies Omit<AtssDetectorOptions, 'classes'>;

export class Atss extends Detector {
  readonly bboxHead: AtssHead;
  private readonly detections: AtssDetectionOptions;

  /** @param neck a pyramid of levels P3 to P7. */
  constructor(backbone: Backbone, neck: Neck, { detections, anchorScale, ...head }: AtssDetectorOptions) {
    super(backbone, neck);
    const { channels, strides } = neck;
    const anchors = { strides, scales: [anchorScale], ratios: [1] };
    this.bboxHead = new AtssHead({ ...head, channels, anchors, padding: backbone.levels.C5.stride });
    this.detections = detections;
  }

  /** Learns from every anchor: nothing is drawn at random. */
  override loss(
    { images, sizes }: ImageBatch,
    truth: TruthBatch,
    _drawKeys: DrawKeys,
    pass: ForwardPass,
  ): DetectionLosses {
    const levels = this.bboxHead.forward(this.pyramid(images, pass), pass);
    const parts = this.bboxHead.loss(levels, truthOfImages(truth), sizes);
    return { loss: tf.addN(Object.values(parts)), ...parts };
  }

  override predict({ images, sizes }: ImageBatch, scales: tf.Tensor2D, pass: ForwardPass): Detections[] {
    return tf.tidy(() => {
      const levels = this.bboxHead.forward(this.pyramid(images, pass), pass);
      return this.bboxHead.detect(levels, sizes, scales, this.detections);
    });
  }
}

const schema = z.strictObject({
  anchorScale: positive.default(ATSS.anchorScale).describe("Sides of the anchors over a level's stride."),
  candidates: count
    .default(ATSS.assign.candidates)
    .describe('Anchors of each level, nearest to an object, among which those that learn it are chosen.'),
  ignoreShare: ignoreShareSchema,
  convs: z.int().min(0).default(ATSS.convs).describe('Convolutions of each tower.'),
  hidden: count.multipleOf(32).default(ATSS.hidden).describe('Width of the towers, in 32 groups.'),
  detections: z
    .strictObject({
      perLevel: count.default(ATSS.detections.perLevel).describe('Candidates of each level that suppression looks at.'),
      ...detectionFields(ATSS.detections),
    })
    .prefault({})
    .describe('What is left of the detections.'),
});

/** ATSS by the name that a configuration gives. */
export const atss: DetectorDefinition<typeof schema> = {
  predictsMasks: false,
  schema,
  create({ candidates, ignoreShare, ...settings }, { backbone, neckChannels, classes }) {
    const neck = atssNeck(backbone, neckChannels);
    return new Atss(backbone, neck, { ...ATSS, ...settings, assign: { candidates, ignoreShare }, classes });
  },
};

/** Levels P3 to P7: those of C3 to C5 and two beyond, by convolutions on the last of them. */
function atssNeck({ levels }: DetectorParts['backbone'], channels: number): Fpn {
  const specs = LEVELS.map((level) => levels[level]);
  return new Fpn({ levels: specs, channels, outputs: 5, startLevel: 1, extra: 'on-output' });
}
