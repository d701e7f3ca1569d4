import { z } from '@pyramidal/config';
import { MASK_RCNN_DEFAULTS, MaskRcnn } from '@pyramidal/mask-rcnn';
import type { DetectorParts } from './index';
import { rcnnFields, rcnnNeck, rcnnOptions } from './rcnn';
import { ignoring } from './schemas';

const { rois, box } = MASK_RCNN_DEFAULTS;

export const maskRcnnSchema = z.strictObject({ name: z.literal('mask-rcnn'), ...rcnnFields(MASK_RCNN_DEFAULTS) });

export type MaskRcnnConfig = z.output<typeof maskRcnnSchema>;

export function createMaskRcnn(config: MaskRcnnConfig, parts: DetectorParts): MaskRcnn {
  return new MaskRcnn(parts.backbone, rcnnNeck(parts), {
    ...rcnnOptions(config, MASK_RCNN_DEFAULTS),
    classes: parts.classes,
    rois: { match: { ...rois.match, ...ignoring(config) }, sample: config.roiSample },
    box: { ...box, hidden: config.boxHidden },
  });
}
