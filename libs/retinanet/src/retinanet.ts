/** RetinaNet (Lin et al. 2017) on levels P3 to P7 of a feature pyramid, with MMDetection's semantics and names. */
import * as tf from '@tensorflow/tfjs-core';
import {
  anchorsSchema,
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
  type TruthBatch,
  truthOfImages,
  withIgnoreShare,
} from '@pyramidal/boxes';
import { Fpn } from '@pyramidal/fpn';
import { type Backbone, type ForwardPass, LEVELS, type Neck } from '@pyramidal/nn';
import { z } from 'zod';
import { type RetinaDetectionOptions, RetinaHead, type RetinaHeadOptions } from './retina-head';

export interface RetinaNetOptions extends Omit<RetinaHeadOptions, 'channels' | 'anchors' | 'padding'> {
  readonly anchors: { readonly scales: readonly number[]; readonly ratios: readonly number[] };
  readonly detections: RetinaDetectionOptions;
}

/** MMDetection's published settings; the number of classes is the data's. */
export const RETINANET = {
  anchors: { scales: [4, 4 * 2 ** (1 / 3), 4 * 2 ** (2 / 3)], ratios: [0.5, 1, 2] },
  convs: 4,
  hidden: 256,
  match: { positiveIou: 0.5, negativeIou: 0.4, lowQuality: { minIou: 0 } },
  focal: { alpha: 0.25, gamma: 2 },
  beta: 0,
  detections: { perLevel: 1000, scoreThreshold: 0.05, iouThreshold: 0.5, count: 100 },
} as const satisfies Omit<RetinaNetOptions, 'classes'>;

export class RetinaNet extends Detector {
  readonly bboxHead: RetinaHead;
  private readonly detections: RetinaDetectionOptions;

  /** @param neck a pyramid of levels P3 to P7. */
  constructor(backbone: Backbone, neck: Neck, { detections, anchors, ...head }: RetinaNetOptions) {
    super(backbone, neck);
    const { channels, strides } = neck;
    const padding = backbone.levels.C5.stride;
    this.bboxHead = new RetinaHead({ ...head, channels, padding, anchors: { ...anchors, strides } });
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
    return { loss: tf.add(parts.boxClass, parts.box), ...parts };
  }

  override predict({ images, sizes }: ImageBatch, scales: tf.Tensor2D, pass: ForwardPass): Detections[] {
    return tf.tidy(() => {
      const levels = this.bboxHead.forward(this.pyramid(images, pass), pass);
      return this.bboxHead.detect(levels, sizes, scales, this.detections);
    });
  }
}

const schema = z.strictObject({
  anchors: anchorsSchema(RETINANET.anchors).describe('Boxes that detections start from.'),
  ignoreShare: ignoreShareSchema,
  convs: z.int().min(0).default(RETINANET.convs).describe('Convolutions of each tower.'),
  hidden: count.default(RETINANET.hidden).describe('Width of the towers.'),
  detections: z
    .strictObject({
      perLevel: count
        .default(RETINANET.detections.perLevel)
        .describe('Candidates of each level that suppression looks at.'),
      ...detectionFields(RETINANET.detections),
    })
    .prefault({})
    .describe('What is left of the detections.'),
});

/** RetinaNet by the name that a configuration gives. */
export const retinaNet: DetectorDefinition<typeof schema> = {
  predictsMasks: false,
  schema,
  create(settings, { backbone, neckChannels, classes }) {
    const { anchors, convs, hidden, detections } = settings;
    const changes = { anchors, convs, hidden, detections, match: withIgnoreShare(RETINANET.match, settings) };
    return new RetinaNet(backbone, retinaNeck(backbone, neckChannels), { ...RETINANET, ...changes, classes });
  },
};

/** Levels P3 to P7: those of C3 to C5 and two beyond, by convolutions on C5. */
function retinaNeck({ levels }: DetectorParts['backbone'], channels: number): Fpn {
  const specs = LEVELS.map((level) => levels[level]);
  return new Fpn({ levels: specs, channels, outputs: 5, startLevel: 1, extra: 'on-input' });
}
