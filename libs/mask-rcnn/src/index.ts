export { MaskRcnn, MASK_RCNN_DEFAULTS, type MaskDetections, type MaskRcnnOptions } from './mask-rcnn';
export { pasteMask, pasteMaskRuns, type Bitmap, type PasteOptions } from './mask-paste';
export { roiAlign, type RoiAlignOptions, type RoiMaps, type Rois } from './roi-align';

// What every detector takes and gives.
export { randomKeys } from '@pyramidal/boxes';
export type { DetectionLosses, DrawKeys, ImageBatch, Neck, TruthBatch } from '@pyramidal/boxes';
