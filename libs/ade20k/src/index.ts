/** Reads semantic segmentation datasets in the ADE20K layout. */
export { evaluationItems, openSegmentationBatches, previewTraining } from './batches';
export type { EvaluationItem, EvaluationOptions, SegmentationBatch, SegmentationBatchesOptions } from './batches';
export { countPixels } from './class-pixels';
export type { SegmentationClass } from './classes';
export { colourTable, type ColourTable, type NamedColours } from './colour-table';
export { classesOf, openSegmentationFolder, partOfSplit } from './folder';
export type { SegmentationFolder, SegmentationFolderOptions, SegmentationSample, SegmentationSplit } from './folder';
export { encodeLabels, readLabels, type LabelCoding } from './label-file';
export { type LabelMap } from './label-map';
export { surveyLabels, type SurveyOptions } from './label-survey';
export { prepareEvaluation, scaledSize } from './transform';
export type {
  EvaluationSample,
  EvaluationTransform,
  ScaledImage,
  ScaleBox,
  TrainingSample,
  TrainingTransform,
} from './transform';
