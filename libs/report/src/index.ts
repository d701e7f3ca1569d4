/** Reports as one HTML file: of an evaluation, of a training, of two runs. */
export { detectionReport, type DetectionEvaluation } from './detection/detection-report';
export { segmentationReport, type SegmentationEvaluation } from './segmentation/segmentation-report';
export { classificationReport, type ClassificationEvaluation } from './classification/classification-report';
export { trainingReport, type TrainingRun } from './training/training-report';
