/** The options of an evaluation under plain names, and what may be evaluated. */
import { checkResults, COCO } from '../dataset/coco';
import { Detections } from '../dataset/detections';
import type { GroundTruth } from '../dataset/ground-truth';
import { Params, type AreaRange } from './params';
import type { CocoDataset, CocoResult, IouType } from '../format/types';

/** What to evaluate; what is left out is as COCO has it. */
export interface EvaluationOptions {
  /** Default 'bbox'. */
  readonly iouType?: IouType;
  /** Default: all images. */
  readonly imageIds?: readonly number[];
  /** Default: all categories. */
  readonly categoryIds?: readonly number[];
  /** Default 0.5, 0.55, ..., 0.95. */
  readonly iouThresholds?: readonly number[];
  /** Default 0, 0.01, ..., 1. */
  readonly recallThresholds?: readonly number[];
  /** Detections of an image and category that count. Default 1, 10, 100; 20 for keypoints; 300 if federated. */
  readonly maxDetections?: readonly number[];
  /** Inclusive ranges of object areas by name. Default all, small, medium, large. */
  readonly areaRanges?: Readonly<Record<string, AreaRange>>;
  /** False: all categories count as one. */
  readonly useCategories?: boolean;
  /** Default: those of the 17 COCO keypoints. */
  readonly keypointSigmas?: readonly number[];
  /** LVIS' rules: images judge only the categories they are known to show or not to show. */
  readonly federated?: boolean;
}

const LVIS_DETECTIONS = 300;

/** The options under pycocotools' names, resolved. */
export function toParams(options: EvaluationOptions, truth: Pick<GroundTruth, 'images' | 'categories'>): Params {
  const imageIds = options.imageIds ?? truth.images.ids;
  const categoryIds = options.categoryIds ?? truth.categories.map(({ id }) => id).sort((a, b) => a - b);
  const params = new Params(options.iouType ?? 'bbox', imageIds, categoryIds);
  if (options.iouThresholds) params.iouThrs = [...options.iouThresholds];
  if (options.recallThresholds) params.recThrs = [...options.recallThresholds];
  if (options.areaRanges) {
    params.areaRng = Object.values(options.areaRanges);
    params.areaRngLbl = Object.keys(options.areaRanges);
  }
  if (options.keypointSigmas) params.kpt_oks_sigmas = [...options.keypointSigmas];
  params.useCats = options.useCategories ?? true;
  params.federated = options.federated ?? false;
  params.maxDets = [...(options.maxDetections ?? (params.federated ? [LVIS_DETECTIONS] : params.maxDets))];
  return params.resolved();
}

/** How many keypoints objects have under the options. */
export function keypointCount(options: EvaluationOptions): number {
  return new Params(options.iouType ?? 'bbox').iouType === 'keypoints'
    ? (options.keypointSigmas ?? new Params('keypoints').kpt_oks_sigmas).length
    : 0;
}

/** A dataset: as an index, as an object, as the text of a file, or as columns. */
export type GroundTruthSource = COCO | CocoDataset | string;

/** Results: as `COCO.loadRes` made them, as a list, or as the text of a file. */
export type ResultsSource = COCO | readonly CocoResult[] | string;

export function toGroundTruth(source: GroundTruthSource, options: EvaluationOptions): GroundTruth {
  const coco = source instanceof COCO ? source : new COCO(source);
  return coco.groundTruth(options.iouType ?? 'bbox', keypointCount(options));
}

export function toDetections(source: ResultsSource, truth: GroundTruth, options: EvaluationOptions): Detections {
  if (source instanceof COCO) return source.detections(truth, keypointCount(options));
  const results = checkResults(source);
  return Detections.of(results, truth, keypointCount(options));
}
