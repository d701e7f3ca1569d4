/** COCO evaluation and the COCO mask API; nothing here needs Node. */
export { COCO, type CheckedRecords } from './dataset/coco';
export { JsonRecords } from './dataset/json-records';
export type { CheckedAnnotation, CheckedCategory, CheckedImage } from './dataset/rules';
export { COCOeval } from './cocoeval';
export type { EvaluationOptions } from './evaluate/options';
export { Params } from './evaluate/params';
export { evaluateDetections, Evaluator } from './evaluator';
export { CocoFormatError } from './format/errors';
export type {
  CocoAnnotation,
  CocoCategory,
  CocoDataset,
  CocoImage,
  CocoResult,
  IouType,
  Polygons,
  Rle,
  Segmentation,
  UncompressedRle,
} from './format/types';
export * as mask from './mask/mask';
export type { CocoReport } from './report/coco-report';
export { confusionMatrix, type CountedPair } from './report/confusion-matrix';
export { errorBreakdown } from './report/error-breakdown';
