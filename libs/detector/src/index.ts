/** What a detector is, takes and gives, and what its configuration shares with those of others. */
export {
  Detector,
  type DetectionLosses,
  type DetectorDefinition,
  type DetectorParts,
  type ImageBatch,
} from './detector';
export { masksOfImages, truthOfImages, type ImageTruth, type MaskTruth, type Truth, type TruthBatch } from './truth';
export { bestPairs, chooseDetections, toOriginal, type DetectionOptions, type Detections } from './detections';
export { imagesOf } from './images-of';
export { randomKeys, type DrawKeys } from './draw-keys';
export * as fields from './fields';
