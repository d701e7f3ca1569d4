/** The public names of @pyramidal/segeval. */
export { SegmentationEvaluator, type SegmentationEvaluatorOptions } from './evaluator';
export { segmentationMetrics, type ClassMetrics, type MetricOptions, type SegmentationMetrics } from './metrics';
export { edgeErrors, type EdgeErrors, type EdgeOptions } from './edge-errors';
