export {
  MaskRcnn,
  MASK_RCNN_DEFAULTS,
  type DetectionLosses,
  type ImageBatch,
  type MaskDetections,
  type MaskRcnnOptions,
  type Neck,
} from './mask-rcnn';
export { pasteMask, type Bitmap, type PasteOptions } from './mask-paste';
export { roiAlign, type RoiAlignOptions, type RoiMaps, type Rois } from './roi-align';
export { randomKeys, type DrawKeys } from './sampler';
export { type TruthBatch } from './truth';
