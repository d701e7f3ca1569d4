/** What Mask R-CNN and Cascade Mask R-CNN have in common. */
import { z } from '@pyramidal/config';
import { Fpn } from '@pyramidal/fpn';
import { type CASCADE_MASK_RCNN_DEFAULTS, type CascadeMaskRcnnOptions, MASK_RCNN_DEFAULTS } from '@pyramidal/mask-rcnn';
import { LEVELS } from '@pyramidal/nn';
import type { DetectorParts } from './index';
import { anchorsSchema, count, detectionFields, fraction, ignoreShareSchema, ignoring } from './schemas';

type Published = typeof MASK_RCNN_DEFAULTS | typeof CASCADE_MASK_RCNN_DEFAULTS;

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
export const rcnnFields = ({ anchors, rpn, trainProposals, testProposals, mask, sampling, detections }: Published) => ({
  anchors: anchorsSchema(anchors),
  /** Anchors that the proposals are learned from. */
  anchorSample: sampleSchema(rpn.sample),
  trainProposals: proposalsSchema(trainProposals),
  testProposals: proposalsSchema(testProposals),
  /** Proposals that boxes and classes are learned from. */
  roiSample: sampleSchema(MASK_RCNN_DEFAULTS.rois.sample),
  ignoreShare: ignoreShareSchema,
  boxHidden: count.default(MASK_RCNN_DEFAULTS.box.hidden),
  maskHidden: count.default(mask.hidden),
  maskConvs: z.int().min(0).default(mask.convs),
  /** Points per bin and axis of RoIAlign, or 'adaptive' as published checkpoints expect, which no graph can repeat. */
  sampling: points.default(sampling),
  detections: z.strictObject(detectionFields(detections)).prefault({}),
});

type RcnnConfig = z.output<z.ZodObject<ReturnType<typeof rcnnFields>>>;

/** What a configuration changes of the published settings. */
export function rcnnOptions(
  config: RcnnConfig,
  { rpn, trainProposals, testProposals, mask }: Published,
): Omit<CascadeMaskRcnnOptions, 'classes' | 'stages'> {
  return {
    anchors: config.anchors,
    rpn: { ...rpn, match: { ...rpn.match, ...ignoring(config) }, sample: config.anchorSample },
    trainProposals: { ...trainProposals, ...config.trainProposals },
    testProposals: { ...testProposals, ...config.testProposals },
    mask: { ...mask, hidden: config.maskHidden, convs: config.maskConvs },
    sampling: config.sampling,
    detections: config.detections,
  };
}

/** The levels C2 to C5 and a pooled one beyond. */
export function rcnnNeck({ backbone, neckChannels }: DetectorParts): Fpn {
  const levels = LEVELS.map((level) => backbone.levels[level]);
  return new Fpn({ levels, channels: neckChannels, outputs: levels.length + 1 });
}
