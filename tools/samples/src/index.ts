export { makeClassificationSet, type ClassificationSetOptions } from './classification';
export { makeSegmentationSet, type SegmentationSetOptions } from './segmentation';
