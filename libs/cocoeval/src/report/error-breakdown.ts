/** What costs average precision, after TIDE (Bolya et al., ECCV 2020, https://arxiv.org/abs/2008.08115). */
import { accumulate } from '../evaluate/accumulate';
import {
  ErrorFinder,
  type DetectionOutcome,
  type ErrorThresholds,
  type ImageErrors,
  type Outcome,
} from './image-errors';
import { MatchStore } from '../evaluate/match-store';
import {
  toDetections,
  toGroundTruth,
  toParams,
  type EvaluationOptions,
  type GroundTruthSource,
  type ResultsSource,
} from '../evaluate/options';
import type { Params } from '../evaluate/params';
import { averageOf } from './summarize';

/** Kinds of errors, TIDE's six with class errors split as in COCO's analysis. */
export const ERROR_KINDS = [
  'localization',
  'similarClass',
  'otherClass',
  'duplicate',
  'background',
  'both',
  'missed',
] as const;

type ErrorKind = (typeof ERROR_KINDS)[number];

interface ErrorBreakdown {
  /** Average precision at the foreground threshold. */
  readonly AP: number;
  /** How many errors of each kind there are. */
  readonly counts: Readonly<Record<ErrorKind, number>>;
  /**
   * How much AP would rise if all errors of one kind were put right: a wrong place or category is corrected (unless the
   * object is found anyway), other false detections go away, missed objects are not asked for.
   */
  readonly gains: Readonly<Record<ErrorKind, number>>;
  /** How much AP would rise without any false detection, and without any object left unfound. */
  readonly falsePositives: number;
  readonly falseNegatives: number;
  /** Every detection and every missed object, for looking at. */
  readonly images: readonly ImageErrors[];
}

/** Splits what is lacking to a perfect AP by cause, after TIDE (https://arxiv.org/abs/2008.08115). */
export function errorBreakdown(
  gt: GroundTruthSource,
  dt: ResultsSource,
  options: Omit<EvaluationOptions, 'iouThresholds' | 'areaRanges' | 'useCategories'> & Partial<ErrorThresholds> = {},
): ErrorBreakdown {
  const { foreground = 0.5, background = 0.1, ...rest } = options;
  const all: EvaluationOptions = {
    ...rest,
    useCategories: true,
    iouThresholds: [foreground],
    areaRanges: { all: [0, Infinity] },
  };
  const truth = toGroundTruth(gt, all);
  const params = toParams(all, truth);
  const finder = new ErrorFinder(truth, toDetections(dt, truth, all), params, { foreground, background });
  const images = params.imgIds.map((id) => finder.find(id));
  const categoryOf = new Map(
    Array.from({ length: truth.length }, (_, g) => [truth.ids.get(g), truth.categoryIds.get(g)]),
  );
  const repairs = new Repairs(images, categoryOf, params);
  const AP = repairs.averagePrecision({});
  const gain = (repair: Repair): number => repairs.averagePrecision(repair) - AP;
  const wrong = ERROR_KINDS.filter((kind) => kind !== 'missed') as readonly Outcome[];
  return {
    AP,
    counts: record((kind) => count(images, kind)),
    gains: record((kind) => gain(kind === 'missed' ? { forgive: 'missed' } : { kinds: new Set<Outcome>([kind]) })),
    falsePositives: gain({ kinds: new Set(wrong), removeOnly: true }),
    falseNegatives: gain({ forgive: 'unfound' }),
    images,
  };
}

/** What is put right. */
interface Repair {
  readonly kinds?: ReadonlySet<Outcome>;
  /** Wrong detections go away even where they could be corrected. */
  readonly removeOnly?: boolean;
  /** Objects not asked for. */
  readonly forgive?: 'missed' | 'unfound';
}

class Repairs {
  private readonly positions: ReadonlyMap<number, number>;

  constructor(
    private readonly images: readonly ImageErrors[],
    private readonly categoryOf: ReadonlyMap<number, number>,
    private readonly params: Params,
  ) {
    this.positions = new Map(params.catIds.map((id, position) => [id, position]));
  }

  /** AP as it would be after a repair. */
  averagePrecision(repair: Repair): number {
    const store = new MatchStore(this.params.catIds.length, 1, 1);
    for (const image of this.images) this.add(image, repair, store);
    const accumulated = accumulate(store, { ...this.params, maxDets: [Infinity] } as Params);
    return averageOf('precision', accumulated, { area: 0, limit: 0 });
  }

  private add(image: ImageErrors, repair: Repair, store: MatchStore): void {
    const found = new Set(image.detections.filter((d) => d.outcome === 'match').map((d) => d.annotationId));
    const forgiven = new Set(
      repair.forgive === 'missed' ? image.missed : repair.forgive ? image.objects.filter((id) => !found.has(id)) : [],
    );
    for (const id of image.objects) {
      if (!forgiven.has(id)) store.categories[this.position(id)]?.addObjects(0, 1);
    }
    const taken = new Set(found);
    const byCategory = new Map<number, DetectionOutcome[]>();
    for (const detection of [...image.detections].sort((a, b) => b.score - a.score)) {
      const repaired = repair.kinds?.has(detection.outcome) ? this.repair(detection, taken, repair) : detection;
      if (!repaired) continue;
      const position = this.positions.get(repaired.categoryId) as number;
      byCategory.set(position, [...(byCategory.get(position) ?? []), repaired]);
    }
    for (const [position, detections] of byCategory) {
      const matches = store.beginImage(position, image.imageId);
      const scores = detections.map(({ score }) => score);
      const first = store.addDetections(matches, [...scores.keys()], scores);
      detections.forEach(({ outcome }, i) => {
        const word = first + i * store.stride;
        if (outcome === 'match') matches.setBit(word, 0);
        if (outcome === 'ignored') matches.setBit(word + store.words, 0);
      });
    }
  }

  /** The detection put right; undefined if it goes away. */
  private repair(
    detection: DetectionOutcome,
    taken: Set<number | undefined>,
    repair: Repair,
  ): DetectionOutcome | undefined {
    const { outcome, annotationId } = detection;
    const correctable = outcome === 'localization' || outcome === 'similarClass' || outcome === 'otherClass';
    if (!correctable || repair.removeOnly || taken.has(annotationId)) return undefined;
    taken.add(annotationId);
    return { ...detection, outcome: 'match', categoryId: this.categoryOf.get(annotationId as number) as number };
  }

  private position(annotationId: number): number {
    return this.positions.get(this.categoryOf.get(annotationId) as number) as number;
  }
}

function count(images: readonly ImageErrors[], kind: ErrorKind): number {
  const inImage = ({ detections, missed }: ImageErrors): number =>
    kind === 'missed' ? missed.length : detections.filter(({ outcome }) => outcome === kind).length;
  return images.reduce((sum, image) => sum + inImage(image), 0);
}

function record(value: (kind: ErrorKind) => number): Record<ErrorKind, number> {
  return Object.fromEntries(ERROR_KINDS.map((kind) => [kind, value(kind)])) as Record<ErrorKind, number>;
}
