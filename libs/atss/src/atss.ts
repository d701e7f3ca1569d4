/** ATSS (Zhang et al. 2020) on levels P3 to P7 of a feature pyramid, with MMDetection's semantics and names. */
import { type DenseDetectionOptions, DenseDetector, denseFields, denseNeck } from '@pyramidal/dense';
import { type DetectorDefinition, fields } from '@pyramidal/detector';
import type { Backbone, Neck } from '@pyramidal/nn';
import { z } from 'zod';
import { AtssHead, type AtssHeadOptions } from './atss-head';

export interface AtssDetectorOptions extends Omit<AtssHeadOptions, 'channels' | 'anchors' | 'padding'> {
  /** Sides of the anchors over their level's stride. */
  readonly anchorScale: number;
  readonly detections: DenseDetectionOptions;
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

export class Atss extends DenseDetector<AtssHead> {
  /** @param neck a pyramid of levels P3 to P7. */
  constructor(backbone: Backbone, neck: Neck, { detections, anchorScale, ...head }: AtssDetectorOptions) {
    const { channels, strides } = neck;
    const [anchors, padding] = [{ strides, scales: [anchorScale], ratios: [1] }, backbone.levels.C5.stride];
    super(backbone, neck, new AtssHead({ ...head, channels, anchors, padding }), detections);
  }
}

const { count, positive } = fields;

const schema = z.strictObject({
  anchorScale: positive.default(ATSS.anchorScale).describe("Sides of the anchors over a level's stride."),
  candidates: count
    .default(ATSS.assign.candidates)
    .describe('Anchors of each level, nearest to an object, among which those that learn it are chosen.'),
  ...denseFields(ATSS),
  hidden: count.multipleOf(32).default(ATSS.hidden).describe('Width of the towers, in 32 groups.'),
});

/** ATSS by the name that a configuration gives; the levels beyond P5 come from it. */
export const atss: DetectorDefinition<typeof schema> = {
  predictsMasks: false,
  schema,
  create({ candidates, ignoreShare, ...settings }, parts) {
    const { backbone, classes } = parts;
    const assign = { candidates, ignoreShare };
    return new Atss(backbone, denseNeck(parts, 'on-output'), { ...ATSS, ...settings, assign, classes });
  },
};
