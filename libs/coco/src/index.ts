export { openDetectionBatches, type DetectionBatch, type DetectionBatchesOptions } from './batches';
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
export { prepareSample, type DetectionTransform, type PreparedDetection } from './prepare';
export { repeatFactors } from './repeat-factors';
