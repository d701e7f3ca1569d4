/** Precision and recall in WebAssembly (wasm/assembly/accumulate.ts), bit for bit as accumulate's. */
import { Kernels, MOST_BYTES } from '../wasm/kernels';
import type { Accumulated, Counts } from './accumulate';
import { bytesOf as bytesOfMean } from './kernel-means';
import type { CategoryMatches, MatchStore } from './match-store';
import type { Params } from './params';

/**
 * Precision, recall and scores of all categories, as views of the kernels' memory: copies of COCO's are 16 MB. Undefined where that
 * cannot be done in WebAssembly.
 */
export function accumulateByKernels(store: MatchStore, params: Params, counts: Counts): Accumulated | undefined {
  if (store.words !== 1 || bytesOf(store, counts) >= MOST_BYTES) return undefined;
  return Kernels.useUp((kernels) => new Curves(kernels, params, counts).ofAll(store));
}

/** Bytes of all curves, of those of the largest category, and of its detections with twelve bytes at each threshold. */
function bytesOf({ categories, stride }: MatchStore, [T, R, K, A, M]: Counts): number {
  const most = categories.reduce((largest, { length }) => Math.max(largest, length), 0);
  return 24 * T * R * A * M * (K + 1) + most * (12 * T + 8 * stride + 60);
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

  ofAll(store: MatchStore): Accumulated {
    const all = [this.precision, this.scores, this.recall] as const;
    const [, , K, A, M] = this.counts;
    store.categories.forEach((matches, k) => {
      this.of(matches);
      for (const { one, every, rows } of all) {
        this.kernels.run.spreadRows(one, rows, A * M, every + 8 * k * A * M, 8 * K * A * M);
      }
    });
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

  private of(matches: CategoryMatches): void {
    const { kernels } = this;
    const { run } = kernels;
    const [, , , A, M] = this.counts;
    if (matches.objects.includes(0)) {
      for (const { one, rows } of [this.precision, this.scores, this.recall]) {
        kernels.float64(one, rows * A * M).fill(-1);
      }
    }
    const start = run.mark();
    const { scores, places, bits } = matches.byImageId();
    run.accumulateCategory(
      kernels.put(matches.objects),
      scores.length,
      kernels.put(scores),
      kernels.put(places),
      kernels.put(bits),
      this.precision.one,
      this.scores.one,
      this.recall.one,
    );
    run.release(start);
  }
}

/** Addresses of values: rows of one category, rows of all. */
interface Places {
  readonly one: number;
  readonly every: number;
  readonly rows: number;
}
