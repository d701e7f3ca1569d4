/** What is wrong with each detection of an image, after TIDE (Bolya et al., ECCV 2020). */
import type { Detections } from '../dataset/detections';
import type { GroundTruth } from '../dataset/ground-truth';
import { ByImage, type Group } from '../evaluate/groups';
import { ImageEvaluator } from '../evaluate/image-evaluator';
import type { Params } from '../evaluate/params';

/**
 * What became of a detection, after TIDE (Bolya et al., ECCV 2020):
 * - match: found an object; ignored: found an ignored one, or lies in a crowd; neither counts as an error
 * - localization: the category is right, the overlap is above the background threshold but too small
 * - similarClass, otherClass: overlaps enough with an object of another category, of the same supercategory or not
 * - duplicate: the object was already found by a detection of higher score
 * - background: overlaps with nothing
 * - both: the category is wrong and the overlap too small
 */
export type Outcome =
  'match' | 'ignored' | 'localization' | 'similarClass' | 'otherClass' | 'duplicate' | 'background' | 'both';

export interface DetectionOutcome {
  /** Position in the list of results, from 0. */
  readonly detection: number;
  readonly categoryId: number;
  readonly score: number;
  readonly outcome: Outcome;
  /** Id of the object found or, for an error, of the one it would have been; undefined for background. */
  readonly annotationId: number | undefined;
  /** Overlap with that object. */
  readonly iou: number;
}

export interface ImageErrors {
  readonly imageId: number;
  /** By category, best first. */
  readonly detections: readonly DetectionOutcome[];
  /** Ids of objects that no detection found, and for which no localization or class error stands. */
  readonly missed: readonly number[];
  /** Ids of all objects that were to be found. */
  readonly objects: readonly number[];
}

export interface ErrorThresholds {
  /** Overlap that a match needs. */
  readonly foreground: number;
  /** Overlap below which a detection has to do with no object. */
  readonly background: number;
}

/** Says for each detection in each image what became of it. */
export class ErrorFinder {
  private readonly evaluator: ImageEvaluator;
  private readonly byImage: ByImage;
  private readonly supercategories: Map<number, string | undefined>;

  /** @param params resolved, with one IoU threshold, the foreground's. */
  constructor(
    private readonly truth: GroundTruth,
    private readonly detections: Detections,
    params: Params,
    private readonly thresholds: ErrorThresholds,
  ) {
    this.evaluator = new ImageEvaluator(truth, params);
    this.byImage = new ByImage(truth.images.length, detections.length, (i) => detections.imageIndices.get(i));
    this.supercategories = new Map(truth.categories.map(({ id, supercategory }) => [id, supercategory]));
  }

  find(imageId: number): ImageErrors {
    const image = this.truth.images.indexOf(imageId);
    if (image < 0) return { imageId, detections: [], missed: [], objects: [] };
    const groups = this.evaluator.groups(image, this.detections, this.byImage.of(image));
    const gts = groups.flatMap((group) => group.gts).filter((g) => this.truth.ignored.get(g) === 0);
    const matches = new Map(groups.flatMap((group) => this.matches(group)));
    const found = new Set([...matches.values()]);
    const outcomes = groups.flatMap(({ category, dts }) =>
      this.outcomes(dts, gts, matches, this.evaluator.isNotExhaustive(image, category)),
    );
    const covered = new Set(outcomes.filter(({ outcome }) => REPAIRABLE.has(outcome)).map((o) => o.annotationId));
    const idOf = (g: number): number => this.truth.ids.get(g);
    const missed = gts.filter((g) => !found.has(g) && !covered.has(idOf(g))).map(idOf);
    return { imageId, detections: outcomes, missed, objects: gts.map(idOf) };
  }

  /** Pairs of a detection and the object it found. */
  private matches(group: Group): [number, number][] {
    const ignored = this.evaluator.ignoredObjects(group.gts, EVERY_AREA);
    this.evaluator.prepare(group, this.detections, this.thresholds.foreground);
    const matches = this.evaluator.match(group, ignored);
    return group.dts.flatMap((d, i): [number, number][] => {
      const match = matches[i] as number;
      return match < 0 ? [] : [[d, group.gts[match] as number]];
    });
  }

  private outcomes(
    dts: readonly number[],
    gts: readonly number[],
    matches: ReadonlyMap<number, number>,
    spareUnmatched: boolean,
  ): DetectionOutcome[] {
    const every = { category: 0, gts: [...gts, ...dts.flatMap((d) => matches.get(d) ?? [])], dts };
    const values = this.evaluator.similarities(every, this.detections, 0);
    const columns = every.gts.length;
    return dts.map((d, row) => {
      const overlaps = values.slice(row * columns, (row + 1) * columns);
      const match = matches.get(d);
      if (match !== undefined) {
        const outcome = this.truth.ignored.get(match) === 1 ? 'ignored' : 'match';
        return this.describe(d, outcome, match, overlaps[every.gts.indexOf(match)] as number);
      }
      if (spareUnmatched) return this.describe(d, 'ignored', undefined, 0);
      return this.blame(d, gts, overlaps);
    });
  }

  /** Finds what is wrong with an unmatched detection, in TIDE's order of questions. */
  private blame(d: number, gts: readonly number[], overlaps: Float64Array): DetectionOutcome {
    const { foreground, background } = this.thresholds;
    const category = this.detections.categoryIds.get(d);
    const same = nearest(gts, overlaps, (g) => this.truth.categoryIds.get(g) === category);
    const other = nearest(gts, overlaps, (g) => this.truth.categoryIds.get(g) !== category);
    if (same.iou >= background && same.iou < foreground) return this.describe(d, 'localization', same.object, same.iou);
    if (other.iou >= foreground) {
      const similar = this.isSimilar(category, this.truth.categoryIds.get(other.object as number));
      return this.describe(d, similar ? 'similarClass' : 'otherClass', other.object, other.iou);
    }
    if (same.iou >= foreground) return this.describe(d, 'duplicate', same.object, same.iou);
    if (other.iou >= background) return this.describe(d, 'both', other.object, other.iou);
    return this.describe(d, 'background', undefined, Math.max(same.iou, other.iou));
  }

  private isSimilar(a: number, b: number): boolean {
    const supercategory = this.supercategories.get(a);
    return supercategory !== undefined && supercategory === this.supercategories.get(b);
  }

  private describe(d: number, outcome: Outcome, object: number | undefined, iou: number): DetectionOutcome {
    return {
      detection: d,
      categoryId: this.detections.categoryIds.get(d),
      score: this.detections.scores.get(d),
      outcome,
      annotationId: object === undefined ? undefined : this.truth.ids.get(object),
      iou,
    };
  }
}

/** Errors that would be a match if put right. */
const REPAIRABLE: ReadonlySet<Outcome> = new Set<Outcome>(['localization', 'similarClass', 'otherClass']);

const EVERY_AREA = [0, Infinity] as const;

function nearest(
  gts: readonly number[],
  overlaps: Float64Array,
  allows: (g: number) => boolean,
): { object: number | undefined; iou: number } {
  let best: { object: number | undefined; iou: number } = { object: undefined, iou: 0 };
  gts.forEach((g, column) => {
    const iou = overlaps[column] as number;
    if (allows(g) && iou > best.iou) best = { object: g, iou };
  });
  return best;
}
