/**
 * Run lengths of binary masks: column-major, background first, as in the COCO API (https://github.com/cocodataset/cocoapi,
 * common/maskApi.c), whose answers they repeat, also for runs of length 0. The counterpart of src/mask/rle.ts.
 */

const MOST_CHARACTERS: u32 = 7; // of one number: 5 bits each

/** What `measureCounts` found. */
let area: f64 = 0;

/** Foreground pixels of the counts measured last. */
export function measuredArea(): f64 {
  return area;
}

/** Reads packed counts without keeping the runs. @returns their sum, -1 where they are not well formed. */
export function measureCounts(at: usize, end: usize): f64 {
  let index: u32 = 0;
  let before: i64 = 0;
  let last: i64 = 0;
  let sum: i64 = 0;
  let foreground: i64 = 0;
  while (at < end) {
    let code: u32 = <u32>load<u8>(at++) - 48;
    let run: i64;
    if (code < 16) {
      run = code;
    } else {
      let bits = code & 31;
      let shift: u32 = 5;
      while (code & 32) {
        if (at === end || shift === 5 * MOST_CHARACTERS) return -1;
        code = <u32>load<u8>(at++) - 48;
        if (code > 63) return -1;
        bits |= (code & 31) << shift;
        shift += 5;
      }
      if (code > 63) return -1;
      if ((code & 16) !== 0 && shift < 32) bits |= (<u32>-1) << shift;
      run = <i64>(<i32>bits);
    }
    if (index > 2) run += before;
    if (run < 0 || run > <i64>u32.MAX_VALUE) return -1;
    sum += run;
    if (index & 1) foreground += run;
    before = last;
    last = run;
    index++;
  }
  area = <f64>foreground;
  return <f64>sum;
}

/** Unpacks counts that were measured before to `out`. @returns how many there are. */
export function unpackCounts(at: usize, end: usize, out: usize): u32 {
  const first = out;
  let before: u32 = 0;
  let last: u32 = 0;
  while (at < end) {
    let code: u32 = <u32>load<u8>(at++) - 48;
    let bits = code & 31;
    let shift: u32 = 5;
    while (code & 32) {
      code = <u32>load<u8>(at++) - 48;
      bits |= (code & 31) << shift;
      shift += 5;
    }
    if ((code & 16) !== 0 && shift < 32) bits |= (<u32>-1) << shift;
    if (out - first > 8) bits += before;
    store<u32>(out, bits);
    before = last;
    last = bits;
    out += 4;
  }
  return <u32>((out - first) >> 2);
}

let areaOfRuns: u32 = 0;

/** Foreground pixels of the runs measured last. */
export function runsArea(): f64 {
  return <f64>areaOfRuns;
}

/**
 * Measures a mask's runs in one pass: for `runsArea`, and the box [x, y, width, height] around the foreground, zeros for an
 * empty mask. @returns whether a run behind the first is empty.
 */
export function measureRuns(runs: usize, count: u32, height: u32, box: usize): bool {
  let area: u32 = 0;
  let hasEmpty = false;
  let left: i32 = -1;
  let right: u32 = 0;
  let top = height;
  let bottom: u32 = 0;
  let position: u32 = 0;
  // The column that the last position is in, and where it begins.
  let column: u32 = 0;
  let start: u32 = 0;
  for (let i: u32 = 0; i < count; i += 2) {
    const background = load<u32>(runs + (i << 2));
    if (background === 0 && i > 0) hasEmpty = true;
    if (i + 1 === count) break;
    const foreground = load<u32>(runs + (i << 2), 4);
    const from = position + background;
    position = from + foreground;
    if (foreground === 0) {
      hasEmpty = true;
      continue;
    }
    area += foreground;
    if (from - start >= height) {
      column = from - start < 2 * height ? column + 1 : from / height;
      start = column * height;
    }
    if (left < 0) left = <i32>column;
    if (position - start <= height) {
      top = min(top, from - start);
      bottom = max(bottom, position - 1 - start);
    } else {
      top = 0;
      bottom = height - 1;
      column = (position - 1) / height;
      start = column * height;
    }
    right = column;
  }
  areaOfRuns = area;
  const isEmpty = left < 0;
  store<f64>(box, isEmpty ? 0 : <f64>left);
  store<f64>(box, isEmpty ? 0 : <f64>top, 8);
  store<f64>(box, isEmpty ? 0 : <f64>(<i32>right - left + 1), 16);
  store<f64>(box, isEmpty ? 0 : <f64>(<i32>bottom - <i32>top + 1), 24);
  return hasEmpty;
}

/** Pixels in which two masks of the same size overlap, of which at most one has empty runs behind its first. */
export function overlap(a: usize, aCount: u32, b: usize, bCount: u32): f64 {
  const aEnd = a + ((aCount & ~1) << 2);
  const bEnd = b + ((bCount & ~1) << 2);
  if (a === aEnd || b === bEnd) return 0;
  let pixels: u32 = 0;
  let aFrom = load<u32>(a);
  let aTo = aFrom + load<u32>(a, 4);
  let bFrom = load<u32>(b);
  let bTo = bFrom + load<u32>(b, 4);
  while (true) {
    const from = max(aFrom, bFrom);
    const to = min(aTo, bTo);
    if (from < to) pixels += to - from;
    if (aTo <= bTo) {
      a += 8;
      if (a === aEnd) break;
      aFrom = aTo + load<u32>(a);
      aTo = aFrom + load<u32>(a, 4);
    } else {
      b += 8;
      if (b === bEnd) break;
      bFrom = bTo + load<u32>(b);
      bTo = bFrom + load<u32>(b, 4);
    }
  }
  return <f64>pixels;
}

/**
 * Intersection over union of two masks of the same size, or over `area`, that of the first, if the second is a crowd.
 * Counting stops where both have an empty run at once, as in the COCO API.
 */
export function iouOfAnyRuns(a: usize, aCount: u32, b: usize, bCount: u32, crowd: bool, area: f64): f64 {
  const aEnd = a + (aCount << 2);
  const bEnd = b + (bCount << 2);
  let intersection: u32 = 0;
  let union: u32 = 0;
  let leftA: u32 = 0;
  let leftB: u32 = 0;
  if (a < aEnd) {
    leftA = load<u32>(a);
    a += 4;
  }
  if (b < bEnd) {
    leftB = load<u32>(b);
    b += 4;
  }
  let inside: u32 = 0; // bit 0: in a, bit 1: in b
  let remaining: u32 = 1;
  while (remaining > 0) {
    const step = min(leftA, leftB);
    if (inside !== 0) union += step;
    if (inside === 3) intersection += step;
    leftA -= step;
    leftB -= step;
    if (leftA === 0 && a < aEnd) {
      leftA = load<u32>(a);
      a += 4;
      inside ^= 1;
    }
    if (leftB === 0 && b < bEnd) {
      leftB = load<u32>(b);
      b += 4;
      inside ^= 2;
    }
    remaining = leftA + leftB;
  }
  if (intersection === 0) return 0;
  return <f64>intersection / (crowd ? area : <f64>union);
}

/** Writes the runs of the union of two masks of the same size. @returns how many there are. */
export function uniteRuns(a: usize, aCount: u32, b: usize, bCount: u32, out: usize): u32 {
  const aEnd = a + (aCount << 2);
  const bEnd = b + (bCount << 2);
  const first = out;
  let leftA: u32 = 0;
  let leftB: u32 = 0;
  if (a < aEnd) {
    leftA = load<u32>(a);
    a += 4;
  }
  if (b < bEnd) {
    leftB = load<u32>(b);
    b += 4;
  }
  let insideA = false;
  let insideB = false;
  let inside = false;
  let run: u32 = 0;
  let remaining: u32 = 1;
  while (remaining > 0) {
    const step = min(leftA, leftB);
    run += step;
    leftA -= step;
    leftB -= step;
    if (leftA === 0 && a < aEnd) {
      leftA = load<u32>(a);
      a += 4;
      insideA = !insideA;
    }
    if (leftB === 0 && b < bEnd) {
      leftB = load<u32>(b);
      b += 4;
      insideB = !insideB;
    }
    remaining = leftA + leftB;
    const next = insideA || insideB;
    if (next !== inside || remaining === 0) {
      store<u32>(out, run);
      out += 4;
      run = 0;
    }
    inside = next;
  }
  return <u32>((out - first) >> 2);
}
