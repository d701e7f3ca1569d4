/** The public names of @pyramidal/samples. */
export { makeClassificationSet, type ClassificationSetOptions } from './classification';
export { makeDetectionSet, type DetectionSetOptions } from './detection';
export { makeSegmentationSet, type SegmentationSetOptions } from './segmentation';
