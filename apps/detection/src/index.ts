/** Trains and evaluates object detectors and instance segmentors. */
export { assembleDetector } from './assemble';
export { cocoResults } from './coco-results';
export { detectionSchema, type DetectionConfig } from './config';
export { defineDetection, detection } from './detection';
export type { OwnDetectionParts } from './definition';
export type { DetectedObject, DetectedObjects } from './detection-work';
export type { ObjectMask } from './object-mask';
export { openDetector, type DetectorOptions, type TrainedDetector } from './open-detector';
export { BrokenImageError, type ImageSource } from '@pyramidal/images';
export { ClosedError, type Found } from '@pyramidal/inference';
