/** Sums and means in the order in which numpy adds, so that they agree to the last bit. */

const BLOCK = 128;
const LANES = 8;

/** Pairwise summation of `values[start]` to `values[end - 1]`. */
export function pairwiseSum(values: ArrayLike<number>, start: number, end: number): number {
  const length = end - start;
  if (length < LANES) return plainSum(values, start, end, 0);
  if (length <= BLOCK) return blockSum(values, start, end);
  const half = Math.floor(length / 2 / LANES) * LANES;
  return pairwiseSum(values, start, start + half) + pairwiseSum(values, start + half, end);
}

/**
 * The mean of the values above -1, which stands for "nothing to average"; -1 if there are none.
 * @param starts of rows, of which the entries at `cells` are taken in this order, for the sum depends on it.
 */
export function meanAboveMinusOne(values: Float64Array, starts: Uint32Array, cells: Uint32Array): number {
  const counted = new Float64Array(starts.length * cells.length);
  let count = 0;
  for (let s = 0; s < starts.length; s++) {
    const start = starts[s] as number;
    for (let c = 0; c < cells.length; c++) {
      const value = values[start + (cells[c] as number)] as number;
      if (value > -1) counted[count++] = value;
    }
  }
  return count === 0 ? -1 : pairwiseSum(counted, 0, count) / count;
}

function plainSum(values: ArrayLike<number>, start: number, end: number, sum: number): number {
  for (let i = start; i < end; i++) sum += values[i] as number;
  return sum;
}

function blockSum(values: ArrayLike<number>, start: number, end: number): number {
  let [a, b, c, d, e, f, g, h] = [0, 0, 0, 0, 0, 0, 0, 0];
  const full = end - ((end - start) % LANES);
  for (let i = start; i < full; i += LANES) {
    a += values[i] as number;
    b += values[i + 1] as number;
    c += values[i + 2] as number;
    d += values[i + 3] as number;
    e += values[i + 4] as number;
    f += values[i + 5] as number;
    g += values[i + 6] as number;
    h += values[i + 7] as number;
  }
  return plainSum(values, full, end, a + b + (c + d) + (e + f + (g + h)));
}
