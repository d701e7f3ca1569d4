/** COCO evaluation under pycocotools' names (pycocotools/cocoeval.py). */
import { accumulate, type Accumulated } from './evaluate/accumulate';
import type { COCO } from './dataset/coco';
import type { Detections } from './dataset/detections';
import { CocoFormatError } from './format/errors';
import type { GroundTruth } from './dataset/ground-truth';
import { ByImage, type Group } from './evaluate/groups';
import { ImageEvaluator, isOutside } from './evaluate/image-evaluator';
import type { MatchStore } from './evaluate/match-store';
import { Params, type AreaRange } from './evaluate/params';
import { summarize } from './report/summarize';
import type { IouType } from './format/types';

/** How the detections of one image and category were matched, as in pycocotools. Ids are 0 where there is no match. */
interface ImageEvaluation {
  readonly image_id: number;
  /** -1 if categories are not used. */
  readonly category_id: number;
  readonly aRng: AreaRange;
  readonly maxDet: number;
  /** D detections, best first. */
  readonly dtIds: readonly number[];
  /** G objects, ignored ones last. */
  readonly gtIds: readonly number[];
  /** [T][D] */
  readonly dtMatches: readonly (readonly number[])[];
  /** [T][G] */
  readonly gtMatches: readonly (readonly number[])[];
  readonly dtScores: readonly number[];
  /** [G] of 0 and 1 */
  readonly gtIgnore: readonly number[];
  /** [T][D] */
  readonly dtIgnore: readonly (readonly boolean[])[];
}

/**
 * COCO evaluation under pycocotools' names:
 * `const e = new COCOeval(gt, gt.loadRes(results), 'bbox'); e.evaluate(); e.accumulate(); e.summarize(); e.stats`.
 */
export class COCOeval {
  /** Change them before `evaluate`. */
  params: Params;
  /** The result of `accumulate`. */
  eval: (Accumulated & { readonly params: Params }) | undefined;
  /** The result of `summarize`. */
  stats: Float64Array = new Float64Array(0);
  private run: Run | undefined;

  constructor(
    readonly cocoGt: COCO,
    readonly cocoDt: COCO,
    iouType: IouType = 'segm',
  ) {
    const sorted = (ids: readonly number[]): number[] => [...ids].sort((a, b) => a - b);
    this.params = new Params(iouType, sorted(cocoGt.getImgIds()), sorted(cocoGt.getCatIds()));
  }

  /** Compares detections with objects in every image and category. */
  evaluate(): void {
    this.run = new Run(this.cocoGt, this.cocoDt, this.params.resolved());
    this.params = this.run.params;
    this.run.evaluateImages();
  }

  /** Gathers the comparisons into precision and recall. */
  accumulate(): void {
    const { store, params } = this.evaluated('accumulate');
    this.eval = { ...accumulate(store, params), params };
  }

  /** Computes `stats`, hands the lines of the official table to `print` and returns them. */
  summarize(print: (line: string) => void = console.log): string {
    if (!this.eval) throw new CocoFormatError('summarize: expected accumulate() before it');
    const { stats, text } = summarize(this.eval, this.eval.params);
    this.stats = stats;
    text.split('\n').forEach((line) => print(line));
    return text;
  }

  /** Comparisons by category, then area range, then image; null where an image has neither objects nor detections. */
  get evalImgs(): (ImageEvaluation | null)[] {
    const run = this.evaluated('evalImgs');
    const { params } = run;
    const categories = params.useCats ? params.catIds : [-1];
    return categories.flatMap((category) =>
      params.areaRng.flatMap((range) => params.imgIds.map((image) => run.evaluateImage(image, category, range))),
    );
  }

  /** One entry of `evalImgs`. */
  evaluateImg(imageId: number, categoryId: number, areaRange: AreaRange): ImageEvaluation | null {
    return this.evaluated('evaluateImg').evaluateImage(imageId, categoryId, areaRange);
  }

  /** Similarities in an image: a row for each detection, best first, a column for each object. */
  computeIoU(imageId: number, categoryId: number): number[][] {
    return this.evaluated('computeIoU').similarities(imageId, categoryId);
  }

  private evaluated(caller: string): Run {
    if (!this.run) throw new CocoFormatError(`${caller}: expected evaluate() before it`);
    return this.run;
  }
}

/** One call of `evaluate`: its inputs as columns, and its matches. */
class Run {
  readonly store: MatchStore;
  private readonly truth: GroundTruth;
  private readonly detections: Detections;
  private readonly evaluator: ImageEvaluator;
  private readonly byImage: ByImage;

  constructor(
    gt: COCO,
    dt: COCO,
    readonly params: Params,
  ) {
    const points = params.kpt_oks_sigmas.length;
    this.truth = gt.groundTruth(params.iouType, points);
    const detections = dt.detections(this.truth, points);
    this.detections = detections;
    this.evaluator = new ImageEvaluator(this.truth, params);
    this.byImage = new ByImage(gt.images.length, detections.length, (i) => detections.imageIndices.get(i));
    this.store = this.evaluator.newStore();
  }

  evaluateImages(): void {
    for (const id of this.params.imgIds) {
      const image = this.truth.images.indexOf(id);
      if (image >= 0) this.evaluator.evaluate(image, this.detections, this.byImage.of(image), this.store);
    }
  }

  similarities(imageId: number, categoryId: number): number[][] {
    const group = this.group(imageId, categoryId);
    if (!group || group.gts.length === 0) return [];
    const values = this.evaluator.similarities(group, this.detections, 0);
    const columns = group.gts.length;
    return group.dts.map((_, d) => [...values.subarray(d * columns, (d + 1) * columns)]);
  }

  evaluateImage(imageId: number, categoryId: number, range: AreaRange): ImageEvaluation | null {
    const group = this.group(imageId, categoryId);
    if (!group || group.gts.length + group.dts.length === 0) return null;
    const { gts, dts } = group;
    const { params, truth, detections } = this;
    const flags = this.evaluator.ignoredObjects(gts, range);
    const order = [...gts.keys()].sort((a, b) => (flags[a] as number) - (flags[b] as number));
    this.evaluator.prepare(group, detections, 0);
    const matches = this.evaluator.match(group, flags);
    const matchOf = (t: number, d: number): number => matches[t * dts.length + d] as number;
    const matchedId = (t: number, d: number): number =>
      matchOf(t, d) < 0 ? 0 : truth.ids.get(gts[matchOf(t, d)] as number);
    const matchedBy = (t: number, g: number): number => {
      const last = dts.findLastIndex((_, d) => matchOf(t, d) === g);
      return last < 0 ? 0 : (dts[last] as number) + 1;
    };
    const isIgnored = (t: number, d: number): boolean =>
      (matchOf(t, d) >= 0 && flags[matchOf(t, d)] === 1) ||
      (matchedId(t, d) === 0 && isOutside(detections.areas.get(dts[d] as number), range));
    return {
      image_id: imageId,
      category_id: categoryId,
      aRng: range,
      maxDet: params.maxDets.at(-1) as number,
      dtIds: dts.map((d) => d + 1),
      gtIds: order.map((g) => truth.ids.get(gts[g] as number)),
      dtMatches: params.iouThrs.map((_, t) => dts.map((__, d) => matchedId(t, d))),
      gtMatches: params.iouThrs.map((_, t) => order.map((g) => matchedBy(t, g))),
      dtScores: dts.map((d) => detections.scores.get(d)),
      gtIgnore: order.map((g) => flags[g] as number),
      dtIgnore: params.iouThrs.map((_, t) => dts.map((__, d) => isIgnored(t, d))),
    };
  }

  private group(imageId: number, categoryId: number): Group | undefined {
    const image = this.truth.images.indexOf(imageId);
    if (image < 0) return undefined;
    const position = this.params.useCats ? this.params.catIds.indexOf(categoryId) : 0;
    const all = this.byImage.of(image);
    const ofCategory = (d: number): boolean => this.detections.categoryIds.get(d) === categoryId;
    const chosen = this.params.useCats && !this.params.federated ? all.filter(ofCategory) : all;
    return this.evaluator.groups(image, this.detections, chosen).find(({ category }) => category === position);
  }
}
