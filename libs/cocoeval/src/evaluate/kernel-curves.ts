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
  return 24 * T * R * A * M * (K + 1) + detections * (12 * T + A * (24 + 4 * M) + 60);
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

class Curves {
  /** Addresses of [T, R, A, M] precisions and scores, and [T, A, M] recalls, of one category, then of all. */
  private readonly precision: Places;
  private readonly scores: Places;
  private readonly recall: Places;

  constructor(
    private readonly kernels: Kernels,
    { recThrs, maxDets, iouThrs, areaRng }: Params,
    private readonly counts: Counts,
  ) {
    const { run } = kernels;
    const recalls = kernels.put(Float64Array.from(recThrs));
    const limits = kernels.put(Float64Array.from(maxDets));
    run.useCurves(recalls, recThrs.length, limits, maxDets.length, iouThrs.length, areaRng.length);
    const [T, R] = counts;
    this.precision = this.placesOf(T * R);
    this.scores = this.placesOf(T * R);
    this.recall = this.placesOf(T);
  }

  /** @param matches of each category; what that takes of the memory is given back. */
  ofAll(matches: (k: number) => KernelMatches): Accumulated {
    const { run } = this.kernels;
    const all = [this.precision, this.scores, this.recall] as const;
    const [, , K, A, M] = this.counts;
    for (let k = 0; k < K; k++) {
      const start = run.mark();
      this.of(matches(k));
      run.release(start);
      for (const { one, every, rows } of all) {
        run.spreadRows(one, rows, A * M, every + 8 * k * A * M, 8 * K * A * M);
      }
    }
    this.makeRoomForMeans();
    const [precision, scores, recall] = all.map(({ every, rows }) => this.kernels.float64(every, rows * K * A * M)) as [
      Float64Array,
      Float64Array,
      Float64Array,
    ];
    return { counts: this.counts, precision, scores, recall };
  }

  /** Later the memory must not grow, or the views of it are lost. */
  private makeRoomForMeans(): void {
    const { run } = this.kernels;
    const [T, R, K] = this.counts;
    const start = run.mark();
    run.allocate(bytesOfMean(T * R, K));
    run.release(start);
  }

  /** Room for so many rows of [A, M] values. */
  private placesOf(rows: number): Places {
    const { run } = this.kernels;
    const [, , K, A, M] = this.counts;
    return { one: run.allocate(8 * rows * A * M), every: run.allocate(8 * rows * K * A * M), rows };
  }

  private of({ objects, count, scores, places, bits, ranking }: KernelMatches): void {
    const { kernels } = this;
    const [, , , A, M] = this.counts;
    const all = [this.precision, this.scores, this.recall] as const;
    if (kernels.uint32(objects, A).includes(0)) {
      for (const { one, rows } of all) kernels.float64(one, rows * A * M).fill(-1);
    }
    const [precision, scoresOut, recall] = all.map(({ one }) => one) as [number, number, number];
    kernels.run.accumulateCategory(objects, count, scores, places, bits, ranking, precision, scoresOut, recall);
  }
}

/** Addresses of values: rows of one category, rows of all. */
interface Places {
  readonly one: number;
  readonly every: number;
  readonly rows: number;
}
