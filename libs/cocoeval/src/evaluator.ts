/** Evaluation in one call, and image by image while a model runs. */
import { accumulate, countsOf, type Accumulated } from './evaluate/accumulate';
import { Detections } from './dataset/detections';
import { CocoFormatError } from './format/errors';
import { CocoReport } from './report/coco-report';
import type { GroundTruth } from './dataset/ground-truth';
import { ByImage } from './evaluate/groups';
import { ImageEvaluator } from './evaluate/image-evaluator';
import { compareByKernels } from './evaluate/kernel-comparison';
import { evaluateByKernels } from './evaluate/kernel-curves';
import type { MatchStore } from './evaluate/match-store';
import {
  keypointCount,
  toDetections,
  toGroundTruth,
  toParams,
  type EvaluationOptions,
  type GroundTruthSource,
  type ResultsSource,
} from './evaluate/options';
import type { Params } from './evaluate/params';
import type { CocoCategory, CocoResult } from './format/types';
import { WORTHWHILE } from './wasm/kernels';

/**
 * Evaluates detections against annotated images.
 * @throws CocoFormatError naming the first record that breaks the format.
 */
export function evaluateDetections(
  gt: GroundTruthSource,
  dt: ResultsSource,
  options: EvaluationOptions = {},
): CocoReport {
  const truth = toGroundTruth(gt, options);
  const params = toParams(options, truth);
  const accumulated = evaluateAll(truth, toDetections(dt, truth, options), params);
  return new CocoReport(params, accumulated, categoriesOf(truth, params));
}

/** Compares all detections and accumulates what they found: in WebAssembly where that can. */
export function evaluateAll(truth: GroundTruth, detections: Detections, params: Params): Accumulated {
  const counts = countsOf(params, params.useCats ? params.catIds.length : 1);
  const found = isWorthwhile(truth, detections) ? evaluateByKernels(truth, detections, params, counts) : undefined;
  return found ?? accumulate(compare(truth, detections, params, params.imgIds), params);
}

function isWorthwhile(truth: GroundTruth, detections: Detections): boolean {
  return truth.length + detections.length >= WORTHWHILE;
}

/** Compares all detections in some images, whose ids rise: in WebAssembly where that can. */
export function compare(
  truth: GroundTruth,
  detections: Detections,
  params: Params,
  imageIds: readonly number[],
): MatchStore {
  const matches = isWorthwhile(truth, detections) ? compareByKernels(truth, detections, params, imageIds) : undefined;
  if (matches) return matches;
  const evaluator = new ImageEvaluator(truth, params);
  const store = evaluator.newStore();
  evaluateImages(evaluator, detections, imageIds, store);
  return store;
}

/** Compares all detections in some images. */
function evaluateImages(
  evaluator: ImageEvaluator,
  detections: Detections,
  imageIds: readonly number[],
  store: MatchStore,
): void {
  const { images } = evaluator.truth;
  const byImage = new ByImage(images.length, detections.length, (i) => detections.imageIndices.get(i));
  for (const id of imageIds) {
    const image = images.indexOf(id);
    if (image >= 0) evaluator.evaluate(image, detections, byImage.of(image), store);
  }
}

/**
 * Evaluates while a model runs: of each image's detections only scores and matches are kept.
 * `const e = new Evaluator(gt, { iouType: 'segm' }); e.add(imageId, detections); ...; e.result().text`
 */
export class Evaluator {
  private readonly truth: GroundTruth;
  private readonly params: Params;
  private readonly evaluator: ImageEvaluator;
  private readonly store: MatchStore;
  private readonly pending: Set<number>;
  private readonly seen = new Set<number>();

  constructor(
    gt: GroundTruthSource,
    private readonly options: EvaluationOptions = {},
  ) {
    this.truth = toGroundTruth(gt, options);
    this.params = toParams(options, this.truth);
    this.evaluator = new ImageEvaluator(this.truth, this.params);
    this.store = this.evaluator.newStore();
    this.pending = new Set(this.params.imgIds);
  }

  /**
   * Takes all detections of an image, whose `image_id` may be left out; those of images not evaluated are ignored.
   * @throws CocoFormatError if the image is unknown or was added before, or a detection breaks the format.
   */
  add(imageId: number, detections: readonly (Omit<CocoResult, 'image_id'> & { readonly image_id?: number })[]): void {
    const image = this.truth.images.indexOf(imageId);
    if (image < 0)
      throw new CocoFormatError(`add: expected the id of an image of the ground truth, received ${imageId}`);
    if (this.seen.has(imageId)) throw new CocoFormatError(`add: expected each image once, received ${imageId} again`);
    const { images, iouType } = this.truth;
    const name = `detections of image ${imageId}`;
    const table = new Detections(images, iouType, { points: keypointCount(this.options), name });
    for (const detection of detections) {
      if (detection.image_id !== undefined && detection.image_id !== imageId) {
        throw new CocoFormatError(
          `add: expected detections of image ${imageId}, received one of ${detection.image_id}`,
        );
      }
      table.add(detection, imageId);
    }
    this.seen.add(imageId);
    if (this.pending.delete(imageId))
      this.evaluator.evaluate(image, table, Uint32Array.from(detections.keys()), this.store);
  }

  /** The evaluation so far; images not added count as images without detections unless `addedOnly`. */
  result({ addedOnly = false } = {}): CocoReport {
    const total = this.evaluator.newStore();
    total.append(this.store);
    const none = new Detections(this.truth.images, this.truth.iouType);
    if (!addedOnly) evaluateImages(this.evaluator, none, [...this.pending], total);
    return new CocoReport(this.params, accumulate(total, this.params), categoriesOf(this.truth, this.params));
  }
}

/** Of the categories evaluated. */
export function categoriesOf(truth: GroundTruth, params: Params): CocoCategory[] {
  if (!params.useCats) return [{ id: -1, name: 'all' }];
  const known = new Map(truth.categories.map((category) => [category.id, category]));
  return params.catIds.map((id) => known.get(id) ?? { id });
}
