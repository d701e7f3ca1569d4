export { MaskRcnn, type MaskRcnnOptions } from './mask-rcnn';
export { CascadeMaskRcnn, type CascadeMaskRcnnOptions } from './cascade-mask-rcnn';
export { CASCADE_BOX_HEADS, CASCADE_MASK_RCNN_DEFAULTS, cascadeStages, MASK_RCNN_DEFAULTS } from './defaults';
export { type MaskDetections, type RoiStageOptions } from './roi-head';
export { pasteMask, pasteMaskRuns, type Bitmap, type PasteOptions } from './mask-paste';
export { roiAlign, type RoiAlignOptions, type RoiMaps, type Rois } from './roi-align';

// What every detector takes and gives.
export { randomKeys } from '@pyramidal/boxes';
export type { DetectionLosses, DrawKeys, ImageBatch, Neck, TruthBatch } from '@pyramidal/boxes';
