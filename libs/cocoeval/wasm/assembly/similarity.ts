/** How alike detections and objects are: overlap of boxes or masks. The counterpart of src/evaluate/similarity.ts. */
import { boxIntersection, boxIou } from './boxes';
import { allocate, release } from './memory';
import { iouOfAnyRuns, measureRuns, overlap, runsArea, unpackCounts } from './masks';
import { mostRuns, outlineRuns } from './outlines';
import { Objects } from './objects';

const RUNS: u32 = 1;

/** A mask of the group: its runs, how many, whether some are empty, then area and box. */
const MASK_BYTES: u32 = 56;

/** Writes D x G overlaps of boxes, a row for each detection. */
export function boxSimilarity(
  found: Objects,
  dts: usize,
  d: u32,
  truth: Objects,
  gts: usize,
  g: u32,
  out: usize,
): void {
  const boxes = found.boxes;
  const crowds = truth.crowds;
  const objects = truth.boxes;
  for (let i: u32 = 0; i < d; i++) {
    const box = boxes + (load<u32>(dts + (i << 2)) << 5);
    for (let j: u32 = 0; j < g; j++) {
      const object = load<u32>(gts + (j << 2));
      const crowd = load<u32>(crowds + (object << 2)) === 1;
      store<f64>(out, boxIou(box, objects + (object << 5), crowd));
      out += 8;
    }
  }
}

/** The same for masks; what cannot reach `floor` may be 0. @param size height and width of the image. */
export function maskSimilarity(
  found: Objects,
  dts: usize,
  d: u32,
  truth: Objects,
  gts: usize,
  g: u32,
  size: usize,
  floor: f64,
  out: usize,
): void {
  const left = allocate(<usize>d * MASK_BYTES);
  const right = allocate(<usize>g * MASK_BYTES);
  for (let i: u32 = 0; i < d; i++) readMask(found, load<u32>(dts + (i << 2)), size, left + i * MASK_BYTES);
  for (let j: u32 = 0; j < g; j++) readMask(truth, load<u32>(gts + (j << 2)), size, right + j * MASK_BYTES);
  for (let i: u32 = 0; i < d; i++) {
    for (let j: u32 = 0; j < g; j++) {
      const crowd = load<u32>(truth.crowds + (load<u32>(gts + (j << 2)) << 2)) === 1;
      store<f64>(out, maskIou(left + i * MASK_BYTES, right + j * MASK_BYTES, crowd, floor));
      out += 8;
    }
  }
}

/** Unpacks or draws a mask, and measures it. */
function readMask(objects: Objects, object: u32, size: usize, mask: usize): void {
  const index = load<u32>(objects.indices + (object << 2));
  const at = index << 2;
  let runs: usize;
  let count: u32;
  if (load<u32>(objects.kinds + at) === RUNS) {
    const first = objects.counts + startOf(objects.countEnds, index);
    const end = objects.counts + load<u32>(objects.countEnds + at);
    runs = allocate((end - first) << 2);
    count = unpackCounts(first, end, runs);
  } else {
    const coordinates = objects.coordinates + (startOf(objects.coordinateEnds, index) << 3);
    const firstPart = startOf(objects.lengthEnds, index);
    const lengths = objects.lengths + (firstPart << 2);
    const parts = load<u32>(objects.lengthEnds + at) - firstPart;
    const most = mostRuns(coordinates, lengths, parts, load<u32>(size, 4));
    runs = allocate((<usize>most) << 2);
    count = outlineRuns(coordinates, lengths, parts, size, most, runs);
    // What was too much is given back; the runs stay where they are.
    release(runs);
    allocate((<usize>count) << 2);
  }
  store<usize>(mask, runs);
  store<u32>(mask, count, 4);
  store<u32>(mask, measureRuns(runs, count, load<u32>(size), mask + 24) ? 1 : 0, 8);
  store<f64>(mask, runsArea(), 16);
}

function startOf(ends: usize, index: u32): u32 {
  return index === 0 ? 0 : load<u32>(ends + ((index - 1) << 2));
}

function maskIou(a: usize, b: usize, crowd: bool, floor: f64): f64 {
  const overlapOfBoxes = boxIntersection(a + 24, b + 24);
  if (overlapOfBoxes < 0) return 0;
  const areaA = load<f64>(a, 16);
  const areaB = load<f64>(b, 16);
  // The smaller mask lies within the other as far as their boxes overlap.
  const most = min(min(areaA, areaB), overlapOfBoxes);
  const possible = most / (crowd ? areaA : areaA + areaB - most);
  if (!(possible > 0 && possible >= floor)) return 0;
  if (load<u32>(a, 8) === 1 && load<u32>(b, 8) === 1) {
    return iouOfAnyRuns(load<usize>(a), load<u32>(a, 4), load<usize>(b), load<u32>(b, 4), crowd, areaA);
  }
  const intersection = overlap(load<usize>(a), load<u32>(a, 4), load<usize>(b), load<u32>(b, 4));
  return intersection === 0 ? 0 : intersection / (crowd ? areaA : areaA + areaB - intersection);
}
