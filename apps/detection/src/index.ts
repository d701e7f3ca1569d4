export { assembleDetector } from './assemble';
export { detectionSchema, type DetectionConfig } from './config';
export { defineDetection, detection } from './detection';
export type { OwnDetectionParts } from './definition';
