export { openDetectionBatches, type DetectionBatch, type DetectionBatchesOptions } from './batches';
export {
  openDetectionDataset,
  readDetectionClasses,
  type Corners,
  type DetectionClass,
  type DetectionDataset,
  type DetectionDatasetOptions,
  type DetectionObject,
  type DetectionSample,
} from './dataset';
export { type CropOptions, type GeometryOptions, type ScaleLimits } from './geometry';
export { prepareSample, type DetectionTransform, type PreparedDetection } from './prepare';
