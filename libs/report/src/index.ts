/** Reports as one HTML file: of an evaluation, of a training, of two runs. */
export { detectionReport, type DetectionEvaluation, type DrawImage } from './detection/detection-report';
export { ERROR_MEANINGS } from './detection/breakdown';
export {
  segmentationReport,
  type SegmentationEvaluation,
  type SegmentedImage,
} from './segmentation/segmentation-report';
export {
  classificationReport,
  type ClassificationEvaluation,
  type ImagePrediction,
} from './classification/classification-report';
export { trainingReport, type TrainingRun } from './training/training-report';
export { readSmallPicture, smallSize } from './picture';
