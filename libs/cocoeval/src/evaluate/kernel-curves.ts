/** Precision and recall in WebAssembly (wasm/assembly/accumulate.ts), bit for bit as accumulate's. */
import { Kernels, MOST_BYTES } from '../wasm/kernels';
import type { Accumulated } from './accumulate';
import type { CategoryMatches, MatchStore } from './match-store';
import type { Params } from './params';

/** Writes precision, recall and scores of all categories. @returns false, having written nothing, where it cannot. */
export function accumulateByKernels(store: MatchStore, params: Params, out: Accumulated): boolean {
  if (store.words !== 1 || bytesOf(store, out) >= MOST_BYTES) return false;
  return Kernels.use((kernels) => new Curves(kernels, params, out).ofAll(store)) !== undefined;
}

/** Bytes of the largest category: its curves, and its detections with twelve bytes at each threshold. */
function bytesOf({ categories, stride }: MatchStore, { counts: [T, R, , A, M] }: Accumulated): number {
  const most = categories.reduce((largest, { length }) => Math.max(largest, length), 0);
  return 24 * T * R * A * M + most * (12 * T + 8 * stride + 60);
}

class Curves {
  /** Addresses of [T, R, A, M] precisions and scores, and [T, A, M] recalls, of one category. */
  private readonly precision: number;
  private readonly scores: number;
  private readonly recall: number;

  constructor(
    private readonly kernels: Kernels,
    { recThrs, maxDets, iouThrs, areaRng }: Params,
    private readonly out: Accumulated,
  ) {
    const { run } = kernels;
    const recalls = kernels.put(Float64Array.from(recThrs));
    const limits = kernels.put(Float64Array.from(maxDets));
    run.useCurves(recalls, recThrs.length, limits, maxDets.length, iouThrs.length, areaRng.length);
    const [T, R, , A, M] = out.counts;
    this.precision = run.allocate(8 * T * R * A * M);
    this.scores = run.allocate(8 * T * R * A * M);
    this.recall = run.allocate(8 * T * A * M);
  }

  /** @returns the arrays that it filled. */
  ofAll(store: MatchStore): Accumulated {
    const [T, R] = this.out.counts;
    store.categories.forEach((matches, k) => {
      this.of(matches);
      this.copy(this.precision, this.out.precision, T * R, k);
      this.copy(this.scores, this.out.scores, T * R, k);
      this.copy(this.recall, this.out.recall, T, k);
    });
    return this.out;
  }

  private of(matches: CategoryMatches): void {
    const { kernels } = this;
    const { run } = kernels;
    const [T, R, , A, M] = this.out.counts;
    if (matches.objects.includes(0)) {
      kernels.float64(this.precision, T * R * A * M).fill(-1);
      kernels.float64(this.scores, T * R * A * M).fill(-1);
      kernels.float64(this.recall, T * A * M).fill(-1);
    }
    const start = run.mark();
    const { scores, places, bits } = matches.byImageId();
    run.accumulateCategory(
      kernels.put(matches.objects),
      scores.length,
      kernels.put(scores),
      kernels.put(places),
      kernels.put(bits),
      this.precision,
      this.scores,
      this.recall,
    );
    run.release(start);
  }

  /** Copies `rows` times [A, M] values to where category k has them. */
  private copy(from: number, to: Float64Array, rows: number, k: number): void {
    const [, , K, A, M] = this.out.counts;
    const size = A * M;
    const values = this.kernels.float64(from, rows * size);
    for (let row = 0; row < rows; row++) {
      const at = (row * K + k) * size;
      for (let i = 0; i < size; i++) to[at + i] = values[row * size + i] as number;
    }
  }
}
