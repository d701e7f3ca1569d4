/** RetinaNet (Lin et al. 2017) on levels P3 to P7 of a feature pyramid, with MMDetection's semantics and names. */
import { type DenseDetectionOptions, DenseDetector, denseFields, denseNeck } from '@pyramidal/dense';
import { type DetectorDefinition, fields } from '@pyramidal/detector';
import type { Backbone, Neck } from '@pyramidal/nn';
import { z } from 'zod';
import { RetinaHead, type RetinaHeadOptions } from './retina-head';

export interface RetinaNetOptions extends Omit<RetinaHeadOptions, 'channels' | 'anchors' | 'padding'> {
  readonly anchors: { readonly scales: readonly number[]; readonly ratios: readonly number[] };
  readonly detections: DenseDetectionOptions;
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

export class RetinaNet extends DenseDetector<RetinaHead> {
  /** @param neck a pyramid of levels P3 to P7. */
  constructor(backbone: Backbone, neck: Neck, { detections, anchors, ...head }: RetinaNetOptions) {
    const { channels, strides } = neck;
    const padding = backbone.levels.C5.stride;
    super(backbone, neck, new RetinaHead({ ...head, channels, padding, anchors: { ...anchors, strides } }), detections);
  }
}

const schema = z.strictObject({
  anchors: fields.anchors(RETINANET.anchors).describe('Boxes that detections start from.'),
  ...denseFields(RETINANET),
});

/** RetinaNet by the name that a configuration gives; the levels beyond P5 come from C5. */
export const retinaNet: DetectorDefinition<typeof schema> = {
  predictsMasks: false,
  schema,
  create({ ignoreShare, ...settings }, parts) {
    const { backbone, classes } = parts;
    const match = { ...RETINANET.match, ignoreShare };
    return new RetinaNet(backbone, denseNeck(parts, 'on-input'), { ...RETINANET, ...settings, match, classes });
  },
};
