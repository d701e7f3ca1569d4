/** Mask R-CNN (He et al. 2017) on a feature pyramid: Faster R-CNN with a mask branch beside its box head. */
import type { DetectorDefinition } from '@pyramidal/detector';
import { FASTER_RCNN } from './faster-rcnn';
import type { MaskBranchOptions } from './mask-branch';
import type { TwoStageSettings } from './two-stage-detector';
import { createTwoStage, maskFields, twoStageSchema } from './two-stage-settings';

/** Four convolutions and a transposed one, for masks of 28 x 28 cells. */
export const MASK_BRANCH = {
  bins: 14,
  convs: 4,
  hidden: 256,
  targetSampling: 4,
} as const satisfies MaskBranchOptions;

const [stage] = FASTER_RCNN.stages;
const match = { ...stage.rois.match, lowQuality: { minIou: 0.5 } };

/** MMDetection's published settings; an object without a match of at least 0.5 takes its best RoI of that IoU. */
export const MASK_RCNN = {
  ...FASTER_RCNN,
  stages: [{ ...stage, rois: { ...stage.rois, match } }],
  mask: MASK_BRANCH,
} as const satisfies TwoStageSettings;

const schema = twoStageSchema(MASK_RCNN).extend(maskFields(MASK_BRANCH));

export const maskRcnn: DetectorDefinition<typeof schema> = {
  predictsMasks: true,
  schema,
  create: (settings, parts) => createTwoStage(MASK_RCNN, settings, parts),
};
