import { z } from '@pyramidal/config';
import { Fpn } from '@pyramidal/fpn';
import { MASK_RCNN_DEFAULTS, MaskRcnn } from '@pyramidal/mask-rcnn';
import { LEVELS } from '@pyramidal/nn';
import type { DetectorParts } from './index';

const { anchors, rpn, trainProposals, testProposals, rois, box, mask, sampling, detections } = MASK_RCNN_DEFAULTS;

const fraction = z.number().min(0).max(1);
const positive = z.number().positive();
const count = z.int().min(1);
const points = z.union([count, z.literal('adaptive')]);

const proposalsSchema = (published: { readonly perLevel: number; readonly count: number }) =>
  z
    .strictObject({
      /** Candidates of each level that suppression looks at. */
      perLevel: count.default(published.perLevel),
      /** What is left for the second stage. */
      count: count.default(published.count),
    })
    .prefault({});

/** How many boxes of an image are learned from, and which share of them may show objects. */
const sampleSchema = (published: { readonly count: number; readonly positiveShare: number }) =>
  z
    .strictObject({
      count: count.default(published.count),
      positiveShare: fraction.default(published.positiveShare),
    })
    .prefault({});

/** The published settings where nothing is said. */
export const maskRcnnSchema = z.strictObject({
  name: z.literal('mask-rcnn'),
  anchors: z
    .strictObject({
      /** Sides of the anchors over a level's stride, and their heights over their widths. */
      scales: z
        .array(positive)
        .min(1)
        .default([...anchors.scales]),
      ratios: z
        .array(positive)
        .min(1)
        .default([...anchors.ratios]),
    })
    .prefault({}),
  /** Anchors that the proposals are learned from. */
  anchorSample: sampleSchema(rpn.sample),
  trainProposals: proposalsSchema(trainProposals),
  testProposals: proposalsSchema(testProposals),
  /** Proposals that boxes and classes are learned from. */
  roiSample: sampleSchema(rois.sample),
  /** Boxes are not learned from as background where a crowd covers this share of them; crowds are background where absent. */
  ignoreShare: fraction.optional(),
  boxHidden: count.default(box.hidden),
  maskHidden: count.default(mask.hidden),
  maskConvs: z.int().min(0).default(mask.convs),
  /** Points per bin and axis of RoIAlign, or 'adaptive' as published checkpoints expect, which no graph can repeat. */
  sampling: points.default(sampling),
  detections: z
    .strictObject({
      scoreThreshold: fraction.default(detections.scoreThreshold),
      iouThreshold: fraction.default(detections.iouThreshold),
      /** Detections of an image. */
      count: count.default(detections.count),
    })
    .prefault({}),
});

export type MaskRcnnConfig = z.output<typeof maskRcnnSchema>;

/** Mask R-CNN on the levels C2 to C5 and a pooled one beyond. */
export function createMaskRcnn(config: MaskRcnnConfig, { backbone, neckChannels, classes }: DetectorParts): MaskRcnn {
  const levels = LEVELS.map((level) => backbone.levels[level]);
  const neck = new Fpn({ levels, channels: neckChannels, outputs: levels.length + 1 });
  const ignore = config.ignoreShare === undefined ? {} : { ignoreShare: config.ignoreShare };
  return new MaskRcnn(backbone, neck, {
    classes,
    anchors: config.anchors,
    rpn: { ...rpn, match: { ...rpn.match, ...ignore }, sample: config.anchorSample },
    trainProposals: { ...trainProposals, ...config.trainProposals },
    testProposals: { ...testProposals, ...config.testProposals },
    rois: { match: { ...rois.match, ...ignore }, sample: config.roiSample },
    box: { ...box, hidden: config.boxHidden },
    mask: { ...mask, hidden: config.maskHidden, convs: config.maskConvs },
    sampling: config.sampling,
    detections: config.detections,
  });
}
