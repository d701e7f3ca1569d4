/** The parameters of an evaluation (pycocotools' Params). */
import { CocoFormatError, show } from '../format/errors';
import type { IouType } from '../format/types';

/** An inclusive range of object areas in square pixels. */
export type AreaRange = readonly [low: number, high: number];

/**
 * What is evaluated, named as in pycocotools.
 * `imgIds` and `catIds` choose the images and categories; with `useCats` 0 all categories count as one, and of `catIds`
 * the order matters.
 */
export class Params {
  imgIds: number[];
  catIds: number[];
  /** IoU (or object keypoint similarity) from which on a detection matches. */
  iouThrs: number[] = linspace(0.5, 0.95, 10);
  /** Recalls at which precision is read off. */
  recThrs: number[] = linspace(0, 1, 101);
  /** How many detections of an image and category count, best first. */
  maxDets: number[];
  areaRng: AreaRange[];
  /** Names of `areaRng`, by which `summarize` finds them. */
  areaRngLbl: string[];
  useCats: number | boolean = 1;
  /**
   * LVIS: an image judges only the categories of its objects and its `neg_category_ids`, spares unmatched detections of its
   * `not_exhaustive_category_ids`, and `maxDets` limits its detections of all categories together.
   */
  federated = false;
  readonly iouType: IouType;
  /** How far each keypoint may be off, in parts of the object's size. */
  kpt_oks_sigmas: number[];

  constructor(iouType: IouType = 'segm', imgIds: readonly number[] = [], catIds: readonly number[] = []) {
    if (!['bbox', 'segm', 'keypoints'].includes(iouType)) {
      throw new CocoFormatError(`iouType: expected 'bbox', 'segm' or 'keypoints', received ${show(iouType)}`);
    }
    const keypoints = iouType === 'keypoints';
    const ranges = keypoints ? AREA_RANGES.filter(([label]) => label !== 'small') : AREA_RANGES;
    this.iouType = iouType;
    this.imgIds = [...imgIds];
    this.catIds = [...catIds];
    this.maxDets = keypoints ? [20] : [1, 10, 100];
    this.areaRngLbl = ranges.map(([label]) => label);
    this.areaRng = ranges.map(([, range]) => range);
    this.kpt_oks_sigmas = [...PERSON_SIGMAS];
  }

  /** A copy as evaluation reads it: limits and images sorted, images (and categories, if used) without repetition. */
  resolved(): Params {
    const params = new Params(this.iouType);
    Object.assign(params, this);
    params.imgIds = sortedUnique(this.imgIds);
    params.catIds = this.useCats ? sortedUnique(this.catIds) : [...this.catIds];
    params.maxDets = [...this.maxDets].sort((a, b) => a - b);
    params.iouThrs = [...this.iouThrs];
    params.recThrs = [...this.recThrs];
    params.areaRng = [...this.areaRng];
    params.areaRngLbl = [...this.areaRngLbl];
    params.kpt_oks_sigmas = [...this.kpt_oks_sigmas];
    return params;
  }
}

const AREA_RANGES: readonly (readonly [string, AreaRange])[] = [
  ['all', [0, 1e10]],
  ['small', [0, 32 ** 2]],
  ['medium', [32 ** 2, 96 ** 2]],
  ['large', [96 ** 2, 1e10]],
];

/** The 17 keypoints of a COCO person: nose, eyes, ears, shoulders, elbows, wrists, hips, knees, ankles. */
const PERSON_SIGMAS = [
  0.26, 0.25, 0.25, 0.35, 0.35, 0.79, 0.79, 0.72, 0.72, 0.62, 0.62, 1.07, 1.07, 0.87, 0.87, 0.89, 0.89,
].map((sigma) => sigma / 10);

/** `count` numbers from `start` to `stop`, rounded as numpy.linspace rounds them. */
function linspace(start: number, stop: number, count: number): number[] {
  const step = (stop - start) / (count - 1);
  return Array.from({ length: count }, (_, i) => (i === count - 1 ? stop : i * step + start));
}

function sortedUnique(ids: readonly number[]): number[] {
  return [...new Set(ids)].sort((a, b) => a - b);
}
