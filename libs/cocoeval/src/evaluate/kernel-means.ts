/** Means in WebAssembly (wasm/assembly/means.ts), bit for bit as numpy.ts's. */
import { Kernels } from '../wasm/kernels';

/** What `meanAboveMinusOne` gives; undefined unless the values lie in the kernels' memory, which must not grow. */
export function meanByKernels(values: Float64Array, starts: Uint32Array, cells: Uint32Array): number | undefined {
  const kernels = Kernels.holding(values);
  if (kernels === undefined || kernels.run.room() < bytesOf(starts.length, cells.length)) return undefined;
  const { run } = kernels;
  const before = run.mark();
  const mean = run.meanAbove(values.byteOffset, kernels.put(starts), starts.length, kernels.put(cells), cells.length);
  run.release(before);
  return mean;
}

/** Bytes that a mean takes at most. */
export function bytesOf(rows: number, cells: number): number {
  const ALIGNMENT = 64;
  return 8 * rows * cells + 4 * (rows + cells) + 3 * ALIGNMENT;
}
