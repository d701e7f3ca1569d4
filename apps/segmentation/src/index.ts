export { assembleSegmentor } from './assemble';
export { segmentationSchema, type SegmentationConfig } from './config';
export { defineSegmentation, segmentation } from './segmentation';
export type { OwnSegmentationParts } from './definition';
