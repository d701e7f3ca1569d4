export { assembleDetector } from './assemble';
export { detectionSchema, type DetectionConfig } from './config';
export { detection } from './detection';
