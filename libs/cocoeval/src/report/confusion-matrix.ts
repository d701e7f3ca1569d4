/** Which categories are taken for which. */
import type { Detections } from '../dataset/detections';
import type { GroundTruth } from '../dataset/ground-truth';
import { ByImage, sortByScore } from '../evaluate/groups';
import { matchFloor, Matcher } from '../evaluate/matching';
import {
  keypointCount,
  toDetections,
  toGroundTruth,
  toParams,
  type EvaluationOptions,
  type GroundTruthSource,
  type ResultsSource,
} from '../evaluate/options';
import { similarityFor } from '../evaluate/similarity';

/** Which objects were taken for what. */
interface ConfusionMatrix {
  /** Ids of the C categories in the order of rows and columns. */
  readonly categoryIds: readonly number[];
  /**
   * [C + 1][C + 1]: `counts[i][j]` objects of category i were detected as category j. The last column counts objects that were
   * not detected, the last row detections where nothing is.
   */
  readonly counts: readonly (readonly number[])[];
}

interface ConfusionOptions extends Pick<EvaluationOptions, 'iouType' | 'imageIds' | 'categoryIds' | 'keypointSigmas'> {
  /** Overlap from which on a detection is about an object. Default 0.5. */
  readonly iou?: number;
  /** Detections of lower score are left out. Default 0.3. */
  readonly minScore?: number;
  /** Told of every pair as it is counted. */
  readonly onPair?: (pair: CountedPair) => void;
}

/** What adds one to a cell of the matrix. */
export interface CountedPair {
  readonly imageId: number;
  /** The cell. */
  readonly row: number;
  readonly column: number;
  /** Undefined in the last row. */
  readonly annotationId: number | undefined;
  /** Position in the list of results; undefined in the last column. */
  readonly detection: number | undefined;
}

/**
 * Counts which categories are mistaken for which. In each image detections, best first, take the most overlapping free object
 * of any category; those left over that lie in a crowd count for nothing.
 */
export function confusionMatrix(
  gt: GroundTruthSource,
  dt: ResultsSource,
  options: ConfusionOptions = {},
): ConfusionMatrix {
  const { iou = 0.5, minScore = 0.3, onPair, ...rest } = options;
  const truth = toGroundTruth(gt, rest);
  const detections = toDetections(dt, truth, rest);
  const params = toParams(rest, truth);
  const positions = new Map(params.catIds.map((id, position) => [id, position]));
  const none = params.catIds.length;
  const counts = new Uint32Array((none + 1) * (none + 1));
  const finder = new PairFinder(truth, detections, iou, params.kpt_oks_sigmas.slice(0, keypointCount(rest)));
  for (const imageId of params.imgIds) {
    const image = truth.images.indexOf(imageId);
    if (image < 0) continue;
    const isChosen = (id: number): boolean => positions.has(id);
    for (const [g, d] of finder.pairs(image, minScore, isChosen)) {
      const row = g === undefined ? none : (positions.get(truth.categoryIds.get(g)) as number);
      const column = d === undefined ? none : (positions.get(detections.categoryIds.get(d)) as number);
      const cell = row * (none + 1) + column;
      counts[cell] = (counts[cell] as number) + 1;
      const annotationId = g === undefined ? undefined : truth.ids.get(g);
      onPair?.({ imageId, row, column, annotationId, detection: d });
    }
  }
  const rows = Array.from({ length: none + 1 }, (_, row) => [
    ...counts.subarray(row * (none + 1), (row + 1) * (none + 1)),
  ]);
  return { categoryIds: params.catIds, counts: rows };
}

/** Pairs objects and detections without regard to their categories. */
class PairFinder {
  private readonly gtsByImage: ByImage;
  private readonly dtsByImage: ByImage;
  private readonly matcher: Matcher;
  private readonly similarity;
  private readonly floor: number;

  constructor(
    private readonly truth: GroundTruth,
    private readonly detections: Detections,
    iou: number,
    sigmas: readonly number[],
  ) {
    const { images, imageIds } = truth;
    this.gtsByImage = new ByImage(images.length, truth.length, (i) => images.indexOf(imageIds.get(i)));
    this.dtsByImage = new ByImage(images.length, detections.length, (i) => detections.imageIndices.get(i));
    this.matcher = new Matcher([iou]);
    this.similarity = similarityFor(truth, sigmas);
    this.floor = matchFloor([iou]);
  }

  /** [object, detection], with undefined for the one that is lacking. */
  pairs(
    image: number,
    minScore: number,
    isChosen: (categoryId: number) => boolean,
  ): [number | undefined, number | undefined][] {
    const { truth, detections } = this;
    const gts = [...this.gtsByImage.of(image)].filter((g) => isChosen(truth.categoryIds.get(g)));
    const candidates = [...this.dtsByImage.of(image)].filter(
      (d) => isChosen(detections.categoryIds.get(d)) && detections.scores.get(d) >= minScore,
    );
    const dts = [...sortByScore(Uint32Array.from(candidates), detections.scores.data)];
    const values = new Float64Array(gts.length * dts.length);
    if (values.length > 0) this.similarity({ detections, dts, truth, gts, floor: this.floor }, values);
    this.matcher.prepare(values, dts.length, gts.length);
    const matches = new Int32Array(dts.length);
    const ignored = Uint8Array.from(gts, (g) => truth.ignored.get(g));
    this.matcher.match(
      ignored,
      Uint8Array.from(gts, (g) => truth.crowd.get(g)),
      matches,
    );
    const found = new Set(matches);
    const detected = dts.flatMap((d, i): [number | undefined, number][] => {
      const match = matches[i] as number;
      if (match < 0) return [[undefined, d]];
      return ignored[match] === 1 ? [] : [[gts[match], d]];
    });
    const missed = gts.filter((_, i) => ignored[i] === 0 && !found.has(i));
    return [...detected, ...missed.map((g): [number, undefined] => [g, undefined])];
  }
}
