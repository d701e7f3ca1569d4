/** Trains and evaluates semantic segmentors. */
export { assembleSegmentor } from './assemble';
export { segmentationSchema, type SegmentationConfig } from './config';
export { defineSegmentation, segmentation } from './segmentation';
export type { OwnSegmentationParts } from './definition';
export { openSegmentor, type SegmentorOptions, type TrainedSegmentor } from './open-segmentor';
export type { Segment, SegmentedImage } from './segmentation-work';
export { BrokenImageError, type ImageSource } from '@pyramidal/images';
export { ClosedError, type Found } from '@pyramidal/inference';
