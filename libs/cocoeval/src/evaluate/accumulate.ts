/** From matches to precision and recall (pycocotools' accumulate). */
import { Uint32Column } from '../format/columns';
import type { CategoryMatches, MatchStore } from './match-store';
import type { Params } from './params';

const EPSILON = 2 ** -52;

/** [thresholds, recalls, categories, area ranges, limits of detections] */
export type Counts = readonly [T: number, R: number, K: number, A: number, M: number];

/** Precision, recall and scores over everything that was evaluated; -1 where there is nothing to find. */
export interface Accumulated {
  readonly counts: Counts;
  /** `[T, R, K, A, M]` */
  readonly precision: Float64Array;
  /** `[T, K, A, M]`: the highest recall reached. */
  readonly recall: Float64Array;
  /** `[T, R, K, A, M]`: score of the detection at which the recall is reached. */
  readonly scores: Float64Array;
}

/** Turns matches into precision at fixed recalls. */
export function accumulate(store: MatchStore, params: Params): Accumulated {
  const T = params.iouThrs.length;
  const R = params.recThrs.length;
  const K = store.categories.length;
  const A = params.areaRng.length;
  const M = params.maxDets.length;
  const precision = new Float64Array(T * R * K * A * M).fill(-1);
  const scores = new Float64Array(T * R * K * A * M).fill(-1);
  const recall = new Float64Array(T * K * A * M).fill(-1);
  const curve = new Curve();

  store.categories.forEach((matches, k) => {
    if (matches.objects.every((count) => count === 0)) return;
    const ranked = rank(matches);
    params.maxDets.forEach((limit, m) => {
      const detections = ranked.within(limit);
      for (let a = 0; a < A; a++) {
        const objects = matches.objects[a] as number;
        if (objects === 0) continue;
        for (let t = 0; t < T; t++) {
          curve.trace(matches, { store, detections, objects, area: a, threshold: t });
          recall[((t * K + k) * A + a) * M + m] = curve.lastRecall;
          curve.sample(params.recThrs, precision, scores, ((t * R * K + k) * A + a) * M + m, K * A * M);
        }
      }
    });
  });
  return { counts: [T, R, K, A, M], precision, recall, scores };
}

/** A category's detections by falling score; equal scores by image id, then by place in the image. */
interface Ranking {
  /** Those that are among the first `limit` of their image. */
  within(limit: number): Uint32Array;
}

function rank(matches: CategoryMatches): Ranking {
  const total = matches.length;
  const places = new Uint32Array(total);
  const order = new Uint32Array(total);
  const images = imagesById(matches);
  let at = 0;
  for (const image of images) {
    const start = matches.imageStarts.get(image);
    const end = image + 1 < matches.imageStarts.length ? matches.imageStarts.get(image + 1) : total;
    for (let d = start; d < end; d++) {
      places[d] = d - start;
      order[at++] = d;
    }
  }
  const scores = matches.scores.data;
  order.sort((a, b) => (scores[b] as number) - (scores[a] as number));
  return { within: (limit) => order.filter((d) => (places[d] as number) < limit) };
}

function imagesById(matches: CategoryMatches): number[] {
  const ids = matches.imageIds.data;
  const images = Array.from({ length: matches.imageIds.length }, (_, i) => i);
  return images.sort((a, b) => (ids[a] as number) - (ids[b] as number));
}

/** Of which detections and objects a curve is. */
interface Cell {
  readonly store: MatchStore;
  /** D detections by falling score, as indices. */
  readonly detections: Uint32Array;
  /** How many objects are to be found. */
  readonly objects: number;
  readonly area: number;
  readonly threshold: number;
}

/**
 * One precision-recall curve, kept at its true positives: only there recall grows, and only there can precision be the
 * highest from there on.
 */
class Curve {
  lastRecall = 0;
  private readonly recalls: number[] = [];
  private readonly precisions: number[] = [];
  private readonly hits = new Uint32Column();
  private detections: Uint32Array = new Uint32Array(0);
  private matches: CategoryMatches | undefined;

  trace(matches: CategoryMatches, { store, detections, objects, area, threshold }: Cell): void {
    this.matches = matches;
    this.detections = detections;
    this.hits.length = 0;
    this.recalls.length = 0;
    this.precisions.length = 0;
    const bits = matches.bits.data;
    const matchedWord = 2 * store.words * area + (threshold >>> 5);
    const mask = 1 << (threshold & 31);
    let counted = 0;
    for (let i = 0; i < detections.length; i++) {
      const word = (detections[i] as number) * store.stride + matchedWord;
      if (((bits[word + store.words] as number) & mask) !== 0) continue;
      counted++;
      if (((bits[word] as number) & mask) === 0) continue;
      const hits = this.recalls.length + 1;
      this.hits.push(i);
      this.recalls.push(hits / objects);
      this.precisions.push(hits / (counted + EPSILON));
    }
    this.lastRecall = this.recalls.at(-1) ?? 0;
    for (let i = this.precisions.length - 1; i > 0; i--) {
      if ((this.precisions[i] as number) > (this.precisions[i - 1] as number))
        this.precisions[i - 1] = this.precisions[i] as number;
    }
  }

  /** Writes precision and score at each recall threshold to `start`, `start + step`, ... */
  sample(
    recallThresholds: readonly number[],
    precision: Float64Array,
    scores: Float64Array,
    start: number,
    step: number,
  ): void {
    let hit = 0;
    recallThresholds.forEach((threshold, r) => {
      const at = start + r * step;
      hit = this.firstHit(threshold, hit);
      const beforeAll = threshold <= 0 && this.detections.length > 0;
      const reached = beforeAll || hit < this.recalls.length;
      precision[at] = reached ? (this.precisions[beforeAll ? 0 : hit] ?? 0) : 0;
      scores[at] = reached ? this.scoreOf(beforeAll ? 0 : this.hits.get(hit)) : 0;
    });
  }

  private scoreOf(rank: number): number {
    return this.matches?.scores.get(this.detections[rank] as number) ?? 0;
  }

  /** The first true positive at which recall is at least the threshold. */
  private firstHit(threshold: number, from: number): number {
    let hit = from > 0 && (this.recalls[from - 1] as number) >= threshold ? 0 : from;
    while (hit < this.recalls.length && (this.recalls[hit] as number) < threshold) hit++;
    return hit;
  }
}
