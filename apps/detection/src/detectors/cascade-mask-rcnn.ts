import { z } from '@pyramidal/config';
import {
  CASCADE_BOX_HEADS,
  CASCADE_MASK_RCNN_DEFAULTS,
  CascadeMaskRcnn,
  cascadeStages,
  type RoiStageOptions,
} from '@pyramidal/mask-rcnn';
import type { DetectorParts } from './index';
import { rcnnFields, rcnnNeck, rcnnOptions } from './rcnn';
import { ignoring } from './schemas';

export const cascadeMaskRcnnSchema = z.strictObject({
  name: z.literal('cascade-mask-rcnn'),
  ...rcnnFields(CASCADE_MASK_RCNN_DEFAULTS),
  /** Four convolutions and a fully connected layer, or two of those. */
  boxHead: z.enum(['conv4fc1', 'shared2fc']).default('conv4fc1'),
});

export type CascadeMaskRcnnConfig = z.output<typeof cascadeMaskRcnnSchema>;

export function createCascadeMaskRcnn(config: CascadeMaskRcnnConfig, parts: DetectorParts): CascadeMaskRcnn {
  const box = { ...CASCADE_BOX_HEADS[config.boxHead], hidden: config.boxHidden };
  const stages = cascadeStages(box, config.roiSample).map((stage): RoiStageOptions => {
    return { ...stage, rois: { ...stage.rois, match: { ...stage.rois.match, ...ignoring(config) } } };
  });
  const options = rcnnOptions(config, CASCADE_MASK_RCNN_DEFAULTS);
  return new CascadeMaskRcnn(parts.backbone, rcnnNeck(parts), { ...options, classes: parts.classes, stages });
}
