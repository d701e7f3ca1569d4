/** Means of values, added in the order in which numpy adds. The counterpart of src/evaluate/numpy.ts. */
import { allocate, mark, release } from './memory';

/** Bytes of the most values that are added in eight lanes, and of eight. */
const BLOCK: usize = 128 << 3;
const LANES: usize = 8 << 3;

/** The mean of the values above -1 at some cells of some rows; -1 if there are none. */
export function meanAbove(values: usize, starts: usize, rows: u32, cells: usize, cellCount: u32): f64 {
  const start = mark();
  const counted = allocate((<usize>rows * cellCount) << 3);
  const cellsEnd = cells + (cellCount << 2);
  let end = counted;
  for (let row = starts; row < starts + (rows << 2); row += 4) {
    const first = values + (load<u32>(row) << 3);
    for (let cell = cells; cell < cellsEnd; cell += 4) {
      const value = load<f64>(first + (load<u32>(cell) << 3));
      store<f64>(end, value);
      end += value > -1 ? 8 : 0;
    }
  }
  release(start);
  return end === counted ? -1 : pairwiseSum(counted, end) / <f64>((end - counted) >> 3);
}

function pairwiseSum(start: usize, end: usize): f64 {
  const length = end - start;
  if (length < LANES) return plainSum(start, end, 0);
  if (length <= BLOCK) return blockSum(start, end);
  const middle = start + ((length >> 1) & ~(LANES - 1));
  return pairwiseSum(start, middle) + pairwiseSum(middle, end);
}

function plainSum(start: usize, end: usize, sum: f64): f64 {
  for (; start < end; start += 8) sum += load<f64>(start);
  return sum;
}

function blockSum(start: usize, end: usize): f64 {
  let ab = f64x2.splat(0);
  let cd = ab;
  let ef = ab;
  let gh = ab;
  for (; start + LANES <= end; start += LANES) {
    ab = f64x2.add(ab, v128.load(start));
    cd = f64x2.add(cd, v128.load(start, 16));
    ef = f64x2.add(ef, v128.load(start, 32));
    gh = f64x2.add(gh, v128.load(start, 48));
  }
  return plainSum(start, end, lanes(ab) + lanes(cd) + (lanes(ef) + lanes(gh)));
}

function lanes(pair: v128): f64 {
  return f64x2.extract_lane(pair, 0) + f64x2.extract_lane(pair, 1);
}
