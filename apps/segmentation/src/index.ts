export { assembleSegmentor } from './assemble';
export { segmentationSchema, type SegmentationConfig } from './config';
export { segmentation } from './segmentation';
