/** Mask R-CNN (He et al. 2017) on a feature pyramid, with MMDetection's semantics and names: a cascade of one stage. */
import type { Neck } from '@pyramidal/boxes';
import type { Backbone } from '@pyramidal/nn';
import { CascadeMaskRcnn, type CascadeMaskRcnnOptions } from './cascade-mask-rcnn';
import type { RoiStageOptions } from './roi-head';

export type MaskRcnnOptions = Omit<CascadeMaskRcnnOptions, 'stages'> & Pick<RoiStageOptions, 'rois' | 'box'>;

export class MaskRcnn extends CascadeMaskRcnn {
  constructor(backbone: Backbone, neck: Neck, { rois, box, ...options }: MaskRcnnOptions) {
    super(backbone, neck, { ...options, stages: [{ rois, box, weight: 1 }] });
  }
}
