/** Precision and recall in WebAssembly (wasm/assembly/accumulate.ts), bit for bit as accumulate's. */
import type { Detections } from '../dataset/detections';
import type { GroundTruth } from '../dataset/ground-truth';
import { Kernels, MOST_BYTES } from '../wasm/kernels';
import type { Accumulated, Counts } from './accumulate';
import { bytesOf as bytesToCompare, Comparison, isSuited } from './kernel-comparison';
import { bytesOf as bytesOfMean } from './kernel-means';
import type { CategoryMatches, MatchStore } from './match-store';
import type { Params } from './params';

/**
 * Precision, recall and scores of all categories, as views of the kernels' memory: copies of COCO's are 16 MB. Undefined where that
 * cannot be done in WebAssembly.
 */
export function accumulateByKernels(store: MatchStore, params: Params, counts: Counts): Accumulated | undefined {
  const most = store.categories.reduce((largest, { length }) => Math.max(largest, length), 0);
  if (store.words !== 1 || bytesOf(most, counts) >= MOST_BYTES) return undefined;
  return Kernels.useUp((kernels) =>
    new Curves(kernels, params, counts).ofAll((k) => put(kernels, store.categories[k] as CategoryMatches)),
  );
}

/**
 * The same from boxes that are compared category by category, of which nothing else is kept. Masks fill so much memory that it has
 * to be given back before curves take theirs.
 */
export function evaluateByKernels(
  truth: GroundTruth,
  detections: Detections,
  params: Params,
  counts: Counts,
): Accumulated | undefined {
  const bytes = bytesToCompare(truth, detections, params) + bytesOf(detections.length, counts);
  if (params.iouType !== 'bbox' || bytes >= MOST_BYTES || !isSuited(truth, params)) return undefined;
  return Kernels.useUp((kernels) => {
    const comparison = new Comparison(kernels, truth, detections, params, params.imgIds);
    return new Curves(kernels, params, counts).ofAll((k) => comparison.of(k));
  });
}

/** Bytes of all curves, of those of one category, and of so many detections with sixteen bytes at each threshold. */
function bytesOf(detections: number, [T, R, K, A, M]: Counts): number {
  return 24 * T * R * A * M * (K + CATEGORIES_AT_ONCE) + detections * (12 * T + A * (24 + 4 * M) + 60);
}

/** A category's detections in the kernels' memory, by rising image id, as accumulateCategory takes them. */
interface KernelMatches {
  readonly objects: number;
  readonly count: number;
  readonly scores: number;
  readonly places: number;
  readonly bits: number;
  /** Which detection is best, second best, ...; 0 where it is not known. */
  readonly ranking: number;
}

function put(kernels: Kernels, matches: CategoryMatches): KernelMatches {
  const { scores, places, bits } = matches.byImageId();
  return {
    objects: kernels.put(matches.objects),
    count: scores.length,
    scores: kernels.put(scores),
    places: kernels.put(places),
    bits: kernels.put(bits),
    ranking: 0,
  };
}

/** Categories whose rows are copied together: short ones would each touch another page of the memory. */
const CATEGORIES_AT_ONCE = 4;

class Curves {
  /** Addresses of [T, R] rows of precisions and scores, and [T] rows of recalls, of a few categories and of all. */
  private readonly precision: Places;
  private readonly scores: Places;
  private readonly recall: Places;
  /** Bytes of [A, M] values. */
  private readonly bytesEach: number;

  constructor(
    private readonly kernels: Kernels,
    { recThrs, maxDets }: Params,
    private readonly counts: Counts,
  ) {
    const { run } = kernels;
    const recalls = kernels.put(Float64Array.from(recThrs));
    const limits = kernels.put(Float64Array.from(maxDets));
    const [T, R, , A, M] = counts;
    this.bytesEach = 8 * A * M;
    run.useCurves(recalls, R, limits, M, T, A, CATEGORIES_AT_ONCE * this.bytesEach);
    this.precision = this.placesOf(T * R);
    this.scores = this.placesOf(T * R);
    this.recall = this.placesOf(T);
  }

  /** @param matches of each category; what that takes of the memory is given back. */
  ofAll(matches: (k: number) => KernelMatches): Accumulated {
    const { counts, precision, scores, recall } = this;
    const [, , K, A, M] = counts;
    for (let k = 0; k < K; k += CATEGORIES_AT_ONCE) {
      const end = Math.min(k + CATEGORIES_AT_ONCE, K);
      for (let each = k; each < end; each++) this.draw(matches, each, this.bytesEach * (each - k));
      for (const { few, every, rows } of [precision, scores, recall]) {
        const from = this.bytesEach * k;
        this.kernels.run.spreadRows(few, rows, this.bytesEach * end - from, every + from, this.bytesEach * K);
      }
    }
    this.makeRoomForMeans();
    const valuesOf = ({ every, rows }: Places): Float64Array => this.kernels.float64(every, rows * K * A * M);
    return { counts, precision: valuesOf(precision), scores: valuesOf(scores), recall: valuesOf(recall) };
  }

  private draw(matches: (k: number) => KernelMatches, k: number, offset: number): void {
    const { run } = this.kernels;
    const start = run.mark();
    const { objects, count, scores, places, bits, ranking } = matches(k);
    const out = [this.precision, this.scores, this.recall].map(({ few }) => few + offset) as [number, number, number];
    run.accumulateCategory(objects, count, scores, places, bits, ranking, ...out);
    run.release(start);
  }

  /** Later the memory must not grow, or the views of it are lost. */
  private makeRoomForMeans(): void {
    const { run } = this.kernels;
    const [T, R, K] = this.counts;
    const start = run.mark();
    run.allocate(bytesOfMean(T * R, K));
    run.release(start);
  }

  private placesOf(rows: number): Places {
    const { run } = this.kernels;
    const allocate = (categories: number): number => run.allocate(this.bytesEach * rows * categories);
    return { few: allocate(CATEGORIES_AT_ONCE), every: allocate(this.counts[2]), rows };
  }
}

/** Addresses of rows of values. */
interface Places {
  readonly few: number;
  readonly every: number;
  readonly rows: number;
}
