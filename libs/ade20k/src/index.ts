export { evaluationItems, openSegmentationBatches } from './batches';
export type { EvaluationItem, EvaluationOptions, SegmentationBatch, SegmentationBatchesOptions } from './batches';
export { ade20kClasses, type SegmentationClass } from './classes';
export { classesOf, openSegmentationFolder } from './folder';
export type { SegmentationFolder, SegmentationFolderOptions, SegmentationSample, SegmentationSplit } from './folder';
export { encodeLabels, readLabels, type LabelCoding } from './label-file';
export { type LabelMap } from './label-map';
export { prepareEvaluation } from './transform';
export type { EvaluationSample, EvaluationTransform, ScaledImage, ScaleBox, TrainingTransform } from './transform';
