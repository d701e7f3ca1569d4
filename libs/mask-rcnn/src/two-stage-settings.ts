/** What a configuration may change of a two-stage detector's published settings, and the detector that comes of it. */
import { type DetectorParts, fields } from '@pyramidal/detector';
import { Fpn } from '@pyramidal/fpn';
import { LEVELS } from '@pyramidal/nn';
import { z } from 'zod';
import type { MaskBranchOptions } from './mask-branch';
import { TwoStageDetector, type TwoStageSettings } from './two-stage-detector';

const { count, fraction } = fields;

const proposalsSchema = (published: { readonly perLevel: number; readonly count: number }) =>
  z
    .strictObject({
      perLevel: count.default(published.perLevel).describe('Candidates of each level that suppression looks at.'),
      count: count.default(published.count).describe('Proposals of an image that go on to the second stage.'),
    })
    .prefault({});

/** How many boxes of an image are learned from, and which share of them may show objects. */
const sampleSchema = (published: { readonly count: number; readonly positiveShare: number }) =>
  z
    .strictObject({
      count: count.default(published.count).describe('How many of an image.'),
      positiveShare: fraction.default(published.positiveShare).describe('Share of them that may show objects.'),
    })
    .prefault({});

/** Settings of every two-stage detector; the published values are the defaults. */
export const twoStageSchema = (published: TwoStageSettings) => {
  const { anchors, rpn, trainProposals, testProposals, stages, sampling, detections } = published;
  const [first] = stages as [TwoStageSettings['stages'][number]];
  return z.strictObject({
    anchors: fields.anchors(anchors).describe('Boxes that proposals start from.'),
    anchorSample: sampleSchema(rpn.sample).describe('Anchors that the proposals are learned from.'),
    trainProposals: proposalsSchema(trainProposals).describe('Proposals in training.'),
    testProposals: proposalsSchema(testProposals).describe('Proposals in evaluation and prediction.'),
    roiSample: sampleSchema(first.rois.sample).describe('Proposals that boxes and classes are learned from.'),
    ignoreShare: fields.ignoreShare,
    boxHidden: count.default(first.box.hidden).describe("Width of the box heads' fully connected layers."),
    sampling: z
      .union([count, z.literal('adaptive')])
      .default(sampling)
      .describe(
        "Points per bin and axis of RoIAlign, or 'adaptive' as published checkpoints expect, which graphs repeat on processors alone.",
      ),
    detections: fields.detections(detections),
  });
};

/** Further settings of those with a mask branch. */
export const maskFields = (published: MaskBranchOptions) => ({
  maskHidden: count.default(published.hidden).describe("Width of the mask head's convolutions."),
  maskConvs: z.int().min(0).default(published.convs).describe("Number of the mask head's convolutions."),
});

type Settings = z.output<ReturnType<typeof twoStageSchema>> &
  Partial<z.output<z.ZodObject<ReturnType<typeof maskFields>>>>;

/** The detector of published settings, as a configuration changes them. */
export function createTwoStage(
  published: TwoStageSettings,
  settings: Settings,
  { backbone, neckChannels, classes }: DetectorParts,
): TwoStageDetector {
  const { rpn, trainProposals, testProposals, stages, mask } = published;
  const { ignoreShare } = settings;
  return new TwoStageDetector(backbone, twoStageNeck({ backbone, neckChannels }), {
    classes,
    anchors: settings.anchors,
    rpn: { ...rpn, match: { ...rpn.match, ignoreShare }, sample: settings.anchorSample },
    trainProposals: { ...trainProposals, ...settings.trainProposals },
    testProposals: { ...testProposals, ...settings.testProposals },
    stages: stages.map(({ rois, box, weight }) => ({
      rois: { match: { ...rois.match, ignoreShare }, sample: settings.roiSample },
      box: { ...box, hidden: settings.boxHidden },
      weight,
    })),
    ...(mask && { mask: withMaskSettings(mask, settings) }),
    sampling: settings.sampling,
    detections: settings.detections,
  });
}

function withMaskSettings(
  mask: MaskBranchOptions,
  { maskHidden: hidden = mask.hidden, maskConvs: convs = mask.convs }: Settings,
): MaskBranchOptions {
  return { ...mask, hidden, convs };
}

/** The levels C2 to C5 and a pooled one beyond. */
function twoStageNeck({ backbone, neckChannels }: Pick<DetectorParts, 'backbone' | 'neckChannels'>): Fpn {
  const levels = LEVELS.map((level) => backbone.levels[level]);
  return new Fpn({ levels, channels: neckChannels, outputs: levels.length + 1 });
}
