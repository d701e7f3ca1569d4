/**
 * Cascade R-CNN (Cai & Vasconcelos 2018): Faster R-CNN with three stages, each of which takes the boxes that the one
 * before moved and asks for more overlap; with a mask branch in every stage, Cascade Mask R-CNN (2019).
 */
import type { DetectorDefinition } from '@pyramidal/detector';
import { z } from 'zod';
import { FASTER_RCNN } from './faster-rcnn';
import { MASK_BRANCH } from './mask-rcnn';
import type { RoiStageOptions } from './roi-head';
import type { TwoStageSettings } from './two-stage-detector';
import { createTwoStage, maskFields, twoStageSchema } from './two-stage-settings';

type CascadeBoxHead = Omit<RoiStageOptions['box'], 'deltas'>;

/** The box heads that cascades are published with. */
export const CASCADE_BOX_HEADS = {
  /** Two fully connected layers and one box for all classes: MMDetection's own. */
  shared2fc: { bins: 7, hidden: 1024, classAgnostic: true, boxLoss: { kind: 'smooth-l1', beta: 1 } },
  /** Four convolutions with batch norm, one fully connected layer, a box per class, GIoU: Swin's and CoaT's. */
  conv4fc1: { bins: 7, hidden: 1024, layers: { convs: 4, fcs: 1 }, boxLoss: { kind: 'giou', weight: 10 } },
} as const satisfies Record<string, CascadeBoxHead>;

const { sample } = FASTER_RCNN.stages[0].rois;

/** The three stages (section 4.3): each asks for more overlap, moves boxes less far and counts for less. */
export function cascadeStages(box: CascadeBoxHead): [RoiStageOptions, RoiStageOptions, RoiStageOptions] {
  const stage = (iou: number, [centre, side]: [number, number], weight: number): RoiStageOptions => ({
    rois: { match: { positiveIou: iou, negativeIou: iou }, sample },
    box: { ...box, deltas: { stds: [centre, centre, side, side] } },
    weight,
  });
  return [stage(0.5, [0.1, 0.2], 1), stage(0.6, [0.05, 0.1], 0.5), stage(0.7, [0.033, 0.067], 0.25)];
}

/** MMDetection's published settings. */
export const CASCADE_RCNN = {
  ...FASTER_RCNN,
  rpn: { ...FASTER_RCNN.rpn, allowedBorder: 0, beta: 1 / 9 },
  trainProposals: { perLevel: 2000, count: 2000, iouThreshold: 0.7 },
  stages: cascadeStages(CASCADE_BOX_HEADS.conv4fc1),
} as const satisfies TwoStageSettings;

export const CASCADE_MASK_RCNN = { ...CASCADE_RCNN, mask: MASK_BRANCH } as const satisfies TwoStageSettings;

const boxHead = z
  .enum(['conv4fc1', 'shared2fc'])
  .default('conv4fc1')
  .describe('Four convolutions and a fully connected layer, or two of those.');

const schema = twoStageSchema(CASCADE_RCNN).extend({ boxHead });

const maskSchema = schema.extend(maskFields(MASK_BRANCH));

const withBoxHead = <F extends TwoStageSettings>(form: F, head: keyof typeof CASCADE_BOX_HEADS): F => {
  return { ...form, stages: cascadeStages(CASCADE_BOX_HEADS[head]) };
};

export const cascadeRcnn: DetectorDefinition<typeof schema> = {
  predictsMasks: false,
  schema,
  create: (settings, parts) => createTwoStage(withBoxHead(CASCADE_RCNN, settings.boxHead), settings, parts),
};

export const cascadeMaskRcnn: DetectorDefinition<typeof maskSchema> = {
  predictsMasks: true,
  schema: maskSchema,
  create: (settings, parts) => createTwoStage(withBoxHead(CASCADE_MASK_RCNN, settings.boxHead), settings, parts),
};
