/** Reads COCO-format datasets and prepares batches for detectors. */
export {
  openDetectionBatches,
  previewSamples,
  stackImages,
  type DetectionBatch,
  type DetectionBatchesOptions,
} from './batches';
export { tightCanvas } from './canvas';
export {
  openDetectionDataset,
  readDetectionClasses,
  requireSameClasses,
  type Corners,
  type DetectionClass,
  type DetectionDataset,
  type DetectionDatasetOptions,
  type DetectionObject,
  type DetectionSample,
  type DroppedObject,
} from './dataset';
export { type CropOptions, type GeometryOptions, type ScaleLimits } from './geometry';
export {
  PREPARE_IMAGE,
  prepareImage,
  type DetectionTransform,
  type ImageTransform,
  type PreparedDetection,
  type PreparedImage,
} from './prepare';
export { repeatFactors } from './repeat-factors';
