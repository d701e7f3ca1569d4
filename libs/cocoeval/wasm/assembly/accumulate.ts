/** From the matches of a category to precision and recall. The counterpart of src/evaluate/accumulate.ts, where the rules are written. */
import { allocate, mark, release } from './memory';
import { sortByScore } from './order';

const EPSILON: f64 = 2.220446049250313e-16;

let recalls: usize = 0;
let recallCount: u32 = 0;
let limits: usize = 0;
let limitCount: u32 = 0;
let thresholdCount: u32 = 0;
let rangeCount: u32 = 0;

/** The category's detections by falling score: scores, and places in their images. */
let count: u32 = 0;
let scores: usize = 0;
let places: usize = 0;

/** Of each area range the detections that are not ignored at all thresholds: rank, place in the image, bits of both kinds. */
let counted: usize = 0;
let countedEnds: usize = 0;

/** At which true positive each recall threshold is reached, from 0. */
let reached: usize = 0;

/** For each threshold the ranks of true positives, the precision there, how many there are, and how many were passed over. */
let hits: usize = 0;
let precisions: usize = 0;
let hitCounts: usize = 0;
let skipped: usize = 0;

/** Takes how it is accumulated. */
export function useCurves(
  recallThresholds: usize,
  recallsUsed: u32,
  limitsOfDetections: usize,
  limitsUsed: u32,
  thresholdsUsed: u32,
  rangesUsed: u32,
): void {
  recalls = recallThresholds;
  recallCount = recallsUsed;
  limits = limitsOfDetections;
  limitCount = limitsUsed;
  thresholdCount = thresholdsUsed;
  rangeCount = rangesUsed;
}

/**
 * Writes [T, R, A, M] precisions and scores, and [T, A, M] recalls; what has no objects stays as it is.
 * @param objects to be found, by area range. @param inOrder detections image after image, by rising image id.
 * @param inImage the place of each in its image. @param words two for each area range.
 */
export function accumulateCategory(
  objects: usize,
  detections: u32,
  inOrder: usize,
  inImage: usize,
  words: usize,
  precision: usize,
  scoresAt: usize,
  recall: usize,
): void {
  const start = mark();
  rank(detections, inOrder, inImage, words);
  hits = allocate((<usize>thresholdCount * count) << 2);
  precisions = allocate((<usize>thresholdCount * count) << 3);
  hitCounts = allocate((<usize>thresholdCount) << 2);
  skipped = allocate((<usize>thresholdCount) << 2);
  reached = allocate((<usize>recallCount) << 2);
  let most: u32 = 0;
  for (let i: u32 = 0; i < count; i++) most = max(most, load<u32>(places + (i << 2)) + 1);
  for (let a: u32 = 0; a < rangeCount; a++) {
    const toFind = load<u32>(objects + (a << 2));
    if (toFind === 0) continue;
    reachRecalls(<f64>toFind);
    for (let m: u32 = 0; m < limitCount; m++) {
      const limit = load<f64>(limits + (m << 3));
      // The curves of a limit that leaves nothing out are those of the next one too.
      if (m === 0 || load<f64>(limits + ((m - 1) << 3)) < <f64>most) trace(a, limit);
      const best = firstWithin(limit);
      for (let t: u32 = 0; t < thresholdCount; t++) {
        const cell = a * limitCount + m;
        const found = <f64>load<u32>(hitCounts + (t << 2));
        store<f64>(recall + ((t * rangeCount * limitCount + cell) << 3), found / <f64>toFind);
        const at = (t * recallCount * rangeCount * limitCount + cell) << 3;
        sample(t, best, precision + at, scoresAt + at);
      }
    }
  }
  release(start);
}

/** Copies rows of values to others that are so many bytes apart. */
export function spreadRows(from: usize, rows: u32, size: u32, to: usize, step: usize): void {
  for (let row: u32 = 0; row < rows; row++) {
    for (let i: u32 = 0; i < size; i++) store<f64>(to + (i << 3), load<f64>(from + (i << 3)));
    from += (<usize>size) << 3;
    to += step;
  }
}

function rank(detections: u32, inOrder: usize, inImage: usize, words: usize): void {
  count = detections;
  const order = allocate((<usize>count) << 2);
  for (let i: u32 = 0; i < count; i++) store<u32>(order + (i << 2), i);
  sortByScore(order, count, inOrder);
  const stride = rangeCount << 3;
  scores = allocate((<usize>count) << 3);
  places = allocate((<usize>count) << 2);
  counted = allocate((<usize>count * rangeCount) << 4);
  countedEnds = allocate((<usize>rangeCount) << 2);
  for (let a: u32 = 0; a < rangeCount; a++) store<usize>(countedEnds + (a << 2), countedOf(a));
  for (let i: u32 = 0; i < count; i++) {
    const from = load<u32>(order + (i << 2));
    store<f64>(scores + (i << 3), load<f64>(inOrder + (from << 3)));
    store<u32>(places + (i << 2), load<u32>(inImage + (from << 2)));
    collect(i, words + from * stride);
  }
}

/** The first rank that is within a limit; `count` if there is none. */
function firstWithin(limit: f64): u32 {
  for (let i: u32 = 0; i < count; i++) if (<f64>load<u32>(places + (i << 2)) < limit) return i;
  return count;
}

/** Most detections are ignored at all thresholds of most area ranges: there they are left out once for all limits. */
function collect(i: u32, words: usize): void {
  const all: u32 = thresholdCount === 32 ? 0xffffffff : (1 << thresholdCount) - 1;
  const place = load<u32>(places + (i << 2));
  for (let a: u32 = 0; a < rangeCount; a++) {
    const ignored = load<u32>(words + (a << 3), 4) & all;
    if (ignored === all) continue;
    const at = load<usize>(countedEnds + (a << 2));
    store<u32>(at, i);
    store<u32>(at, place, 4);
    store<u32>(at, load<u32>(words + (a << 3)) & ~ignored & all, 8);
    store<u32>(at, ignored, 12);
    store<usize>(countedEnds + (a << 2), at + 16);
  }
}

/** Where the counted detections of an area range begin. */
function countedOf(a: u32): usize {
  return counted + ((<usize>a * count) << 4);
}

/** Draws the curves of all thresholds in one pass, of which only bits that are set are walked over. */
function trace(a: u32, limit: f64): void {
  for (let t: u32 = 0; t < thresholdCount; t++) {
    store<u32>(hitCounts + (t << 2), 0);
    store<u32>(skipped + (t << 2), 0);
  }
  let seen: u32 = 0;
  const end = load<usize>(countedEnds + (a << 2));
  for (let at = countedOf(a); at < end; at += 16) {
    if (!(<f64>load<u32>(at, 4) < limit)) continue;
    seen++;
    for (let rest = load<u32>(at, 12); rest !== 0; rest &= rest - 1) {
      const own = skipped + (ctz(rest) << 2);
      store<u32>(own, load<u32>(own) + 1);
    }
    const rank = load<u32>(at);
    for (let rest = load<u32>(at, 8); rest !== 0; rest &= rest - 1) hit(ctz(rest), rank, seen);
  }
  for (let t: u32 = 0; t < thresholdCount; t++) raise(t);
}

function hit(t: u32, rank: u32, seen: u32): void {
  const found = load<u32>(hitCounts + (t << 2));
  store<u32>(hitCounts + (t << 2), found + 1);
  store<u32>(hits + ((t * count + found) << 2), rank);
  const counted = <f64>(seen - load<u32>(skipped + (t << 2)));
  store<f64>(precisions + ((t * count + found) << 3), <f64>(found + 1) / (counted + EPSILON));
}

/** Makes precision the highest from there on. */
function raise(t: u32): void {
  const own = precisions + ((t * count) << 3);
  for (let i = load<u32>(hitCounts + (t << 2)); i > 1; i--) {
    const at = own + ((i - 1) << 3);
    if (load<f64>(at) > load<f64>(at - 8)) store<f64>(at - 8, load<f64>(at));
  }
}

/** Writes at which true positive each recall is reached: the first that is not below it. */
function reachRecalls(toFind: f64): void {
  for (let r: u32 = 0; r < recallCount; r++) {
    const threshold = load<f64>(recalls + (r << 3));
    // Nearly that; the quotients decide.
    let found = min(ceil(threshold * toFind), toFind + 1);
    if (!(found >= 1)) found = 1;
    while (found > 1 && !((found - 1) / toFind < threshold)) found--;
    while (found <= toFind && found / toFind < threshold) found++;
    store<u32>(reached + (r << 2), <u32>found - 1);
  }
}

/** Writes precision and score at each recall threshold. */
function sample(t: u32, best: u32, precision: usize, score: usize): void {
  const length = load<u32>(hitCounts + (t << 2));
  const ownHits = hits + ((t * count) << 2);
  const ownPrecisions = precisions + ((t * count) << 3);
  const step = (rangeCount * limitCount) << 3;
  for (let r: u32 = 0; r < recallCount; r++) {
    // As in pycocotools, recall 0 is reached by the first detection, whether it finds something or not.
    const isBeforeAll = load<f64>(recalls + (r << 3)) <= 0 && best < count;
    const place: u32 = isBeforeAll ? 0 : load<u32>(reached + (r << 2));
    const isReached = place < length;
    store<f64>(precision, isReached ? load<f64>(ownPrecisions + (place << 3)) : 0);
    const rank = isBeforeAll ? best : isReached ? load<u32>(ownHits + (place << 2)) : count;
    store<f64>(score, rank < count ? load<f64>(scores + (rank << 3)) : 0);
    precision += step;
    score += step;
  }
}
