/** From matches to precision and recall (pycocotools' accumulate). */
import { Float64Column, Uint32Column } from '../format/columns';
import { CocoFormatError } from '../format/errors';
import { accumulateByKernels } from './kernel-curves';
import type { CategoryMatches, MatchStore } from './match-store';
import { WORTHWHILE } from '../wasm/kernels';
import type { Params } from './params';

const { clz32, max, min } = Math;

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

/** Two gigabytes: twenty thousand categories at COCO's thresholds. */
const MAX_VALUES = 2 ** 28;

/** How many values there will be. @throws CocoFormatError if they are too many. */
export function countsOf({ iouThrs, recThrs, areaRng, maxDets }: Params, categories: number): Counts {
  const counts = [iouThrs.length, recThrs.length, categories, areaRng.length, maxDets.length] as const;
  const values = counts.reduce((product, count) => product * count, 1);
  if (values <= MAX_VALUES) return counts;
  const [T, R, K, A, M] = counts;
  throw new CocoFormatError(
    `expected at most ${MAX_VALUES} values of precision, received ${values}: ${T} thresholds, ${R} recalls, ${K} categories, ${A} area ranges, ${M} limits`,
  );
}

/** Turns matches into precision at fixed recalls. */
export function accumulate(store: MatchStore, params: Params): Accumulated {
  const counts = countsOf(params, store.categories.length);
  const found = store.length >= WORTHWHILE ? accumulateByKernels(store, params, counts) : undefined;
  if (found) return found;
  const [T, R, K, A, M] = counts;
  const values = T * R * K * A * M;
  const precision = new Float64Array(values).fill(-1);
  const scores = new Float64Array(values).fill(-1);
  const recall = new Float64Array(T * K * A * M).fill(-1);
  const curves = Array.from({ length: T }, () => new Curve());

  store.categories.forEach((matches, k) => {
    if (matches.objects.every((count) => count === 0)) return;
    const ranking = rank(matches, store.stride);
    const { scores: ranked, places } = ranking;
    const most = places.reduce((largest, place) => max(largest, place + 1), 0);
    matches.objects.forEach((objects, a) => {
      if (objects === 0) return;
      params.maxDets.forEach((limit, m) => {
        // The curves of a limit that leaves nothing out are those of the next one too.
        const isAsBefore = m > 0 && (params.maxDets[m - 1] as number) >= most;
        if (!isAsBefore) trace(curves, { store, ranking, limit, area: a });
        const best = ranked[places.findIndex((place) => place < limit)];
        curves.forEach((curve, t) => {
          recall[((t * K + k) * A + a) * M + m] = curve.hits.length / objects;
          const start = ((t * R * K + k) * A + a) * M + m;
          curve.sample(params.recThrs, { objects, best, ranked }, { precision, scores, start, step: K * A * M });
        });
      });
    });
  });
  return { counts, precision, recall, scores };
}

/** A category's detections by falling score; equal scores by image id, then by place in the image. */
interface Ranking {
  readonly scores: Float64Array;
  /** Which of its image each is, best first. */
  readonly places: Uint32Array;
  /** The words of each, as in the store: copied into this order once, for they are read again and again. */
  readonly bits: Uint32Array;
}

function rank(matches: CategoryMatches, stride: number): Ranking {
  const { scores, places, bits: words } = matches.byImageId();
  const order = Uint32Array.from({ length: scores.length }, (_, i) => i);
  order.sort((a, b) => (scores[b] as number) - (scores[a] as number));
  const bits = new Uint32Array(order.length * stride);
  order.forEach((from, i) => {
    for (let w = 0; w < stride; w++) bits[i * stride + w] = words[from * stride + w] as number;
  });
  return {
    scores: Float64Array.from(order, (d) => scores[d] as number),
    places: order.map((d) => places[d] as number),
    bits,
  };
}

/** Which detections curves are of. */
interface Cell {
  readonly store: MatchStore;
  readonly ranking: Ranking;
  /** Of each image the first `limit` count. */
  readonly limit: number;
  readonly area: number;
}

/**
 * Draws the curves of all thresholds in one pass. Most detections find nothing at any threshold, or are ignored at all of
 * them: one look at the word of bits tells, and only bits that are set are walked over.
 */
function trace(curves: readonly Curve[], { store, ranking, limit, area }: Cell): void {
  for (const curve of curves) curve.begin();
  const { places, bits } = ranking;
  const { words, stride } = store;
  for (let word = 0; word < words; word++) {
    const thresholds = min(WORD_BITS, curves.length - WORD_BITS * word);
    const all = thresholds === WORD_BITS ? -1 : (1 << thresholds) - 1;
    let seen = 0;
    for (let i = 0; i < places.length; i++) {
      if ((places[i] as number) >= limit) continue;
      const at = i * stride + 2 * words * area + word;
      const ignored = (bits[at + words] as number) & all;
      if (ignored === all) continue;
      seen++;
      const hits = (bits[at] as number) & all & ~ignored;
      for (let rest = ignored; rest !== 0; rest &= rest - 1) curveOf(curves, word, rest).skipped++;
      for (let rest = hits; rest !== 0; rest &= rest - 1) curveOf(curves, word, rest).hit(i, seen);
    }
  }
  for (const curve of curves) curve.end();
}

const WORD_BITS = 32;

/** The curve of the lowest bit that is set. */
function curveOf(curves: readonly Curve[], word: number, bits: number): Curve {
  return curves[WORD_BITS * word + 31 - clz32(bits & -bits)] as Curve;
}

/** What a curve is read against. */
interface Found {
  /** How many objects are to be found. */
  readonly objects: number;
  /** The best score; undefined without detections. */
  readonly best: number | undefined;
  /** Scores of all ranks. */
  readonly ranked: Float64Array;
}

/** Where the values of a curve go: to `start`, `start + step`, ... */
interface Samples {
  readonly precision: Float64Array;
  readonly scores: Float64Array;
  readonly start: number;
  readonly step: number;
}

/**
 * One precision-recall curve, kept at its true positives: only there recall grows, and only there can precision be the
 * highest from there on.
 */
class Curve {
  /** Ranks of the detections that find an object. */
  readonly hits = new Uint32Column();
  /** Detections that are ignored at this threshold and not at every one. */
  skipped = 0;
  private readonly precisions = new Float64Column();

  begin(): void {
    this.hits.length = 0;
    this.precisions.length = 0;
    this.skipped = 0;
  }

  /** @param seen detections up to this one, those skipped among them. */
  hit(rank: number, seen: number): void {
    this.hits.push(rank);
    this.precisions.push(this.hits.length / (seen - this.skipped + EPSILON));
  }

  /** Makes precision the highest from there on. */
  end(): void {
    const { data, length } = this.precisions;
    for (let i = length - 1; i > 0; i--) {
      if ((data[i] as number) > (data[i - 1] as number)) data[i - 1] = data[i] as number;
    }
  }

  /** Writes precision and score at each recall threshold. */
  sample(recallThresholds: readonly number[], { objects, best, ranked }: Found, into: Samples): void {
    const { hits, precisions } = this;
    const { length } = hits;
    let hit = 0;
    let at = into.start;
    for (const threshold of recallThresholds) {
      if (hit > 0 && hit / objects >= threshold) hit = 0;
      while (hit < length && (hit + 1) / objects < threshold) hit++;
      // As in pycocotools, recall 0 is reached by the first detection, whether it finds something or not.
      const beforeAll = threshold <= 0 && best !== undefined;
      const place = beforeAll ? 0 : hit;
      into.precision[at] = place < length ? precisions.get(place) : 0;
      into.scores[at] = beforeAll ? best : place < length ? (ranked[hits.get(place)] as number) : 0;
      at += into.step;
    }
  }
}
