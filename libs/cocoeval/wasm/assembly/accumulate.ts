/** From the matches of a category to precision and recall. The counterpart of src/evaluate/accumulate.ts, where the rules are written. */
import { allocate, allocateZeros, mark, release } from './memory';
import { sortByScore } from './order';

const EPSILON: f64 = 2.220446049250313e-16;

let recalls: usize = 0;
let recallCount: u32 = 0;
let limits: usize = 0;
let limitCount: u32 = 0;
let thresholdCount: u32 = 0;
let rangeCount: u32 = 0;
/** From the values at a threshold, or recall, to those at the next one. */
let rowBytes: usize = 0;

/** The category's detections: how many, which is best, second best, ..., their scores, and their places in their images. */
let count: u32 = 0;
let ranking: usize = 0;
let scores: usize = 0;
let places: usize = 0;

/**
 * Of each area range the detections by falling score that find something, or are ignored, at some threshold but not all: which
 * it is, at which thresholds it finds something or is ignored, the first limit that it is within, and how many detections count
 * up to this one within each limit.
 */
let telling: usize = 0;
let tellingEnds: usize = 0;
let tellingBytes: usize = 0;
/** How many detections that count so far are within a limit and none before it, for each area range. */
let seen: usize = 0;

/** At which true positive each recall threshold is reached, from 0. */
let reached: usize = 0;

/** For each threshold the true positives, the precision there, how many there are, and how many were passed over. */
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
  bytesOfRow: usize,
): void {
  recalls = recallThresholds;
  recallCount = recallsUsed;
  limits = limitsOfDetections;
  limitCount = limitsUsed;
  thresholdCount = thresholdsUsed;
  rangeCount = rangesUsed;
  rowBytes = bytesOfRow;
}

/**
 * Writes [T, R] rows of [A, M] precisions and scores, and [T] rows of recalls; -1 for what has no objects.
 * @param objects to be found, by area range. @param detections image after image, by rising image id.
 * @param inImage the place of each in its image. @param words two for each area range.
 * @param order which detection is best, second best, ..., as of equal scores the first is; 0 where it is not known.
 */
export function accumulateCategory(
  objects: usize,
  detections: u32,
  scoresOf: usize,
  inImage: usize,
  words: usize,
  order: usize,
  precision: usize,
  scoresAt: usize,
  recall: usize,
): void {
  const start = mark();
  count = detections;
  scores = scoresOf;
  places = inImage;
  ranking = order === 0 ? rank() : order;
  hits = allocate((<usize>thresholdCount * count) << 2);
  precisions = allocate((<usize>thresholdCount * count) << 3);
  hitCounts = allocate((<usize>thresholdCount) << 2);
  skipped = allocate((<usize>thresholdCount) << 2);
  reached = allocate((<usize>recallCount) << 2);
  const most = collect(words);
  for (let a: u32 = 0; a < rangeCount; a++) {
    const toFind = load<u32>(objects + (a << 2));
    if (toFind > 0) reachRecalls(<f64>toFind);
    for (let m: u32 = 0; m < limitCount; m++) {
      const cell: usize = (a * limitCount + m) << 3;
      if (toFind === 0) {
        fillColumn(precision + cell, thresholdCount * recallCount);
        fillColumn(scoresAt + cell, thresholdCount * recallCount);
        fillColumn(recall + cell, thresholdCount);
        continue;
      }
      // The curves of a limit that leaves nothing out are those of the next one too.
      if (m === 0 || load<f64>(limits + ((m - 1) << 3)) < <f64>most) trace(a, m);
      const best = firstWithin(load<f64>(limits + (m << 3)));
      for (let t: u32 = 0; t < thresholdCount; t++) {
        const found = <f64>load<u32>(hitCounts + (t << 2));
        store<f64>(recall + <usize>t * rowBytes + cell, found / <f64>toFind);
        const at = <usize>(t * recallCount) * rowBytes + cell;
        sample(t, best, precision + at, scoresAt + at);
      }
    }
  }
  release(start);
}

/** Copies so many bytes of each row to rows that are further apart. */
export function spreadRows(from: usize, rows: u32, bytes: usize, to: usize, step: usize): void {
  for (let row: u32 = 0; row < rows; row++) {
    for (let i: usize = 0; i < bytes; i += 8) store<u64>(to + i, load<u64>(from + i));
    from += rowBytes;
    to += step;
  }
}

/** For what there is nothing to find of. */
function fillColumn(at: usize, rows: u32): void {
  for (let row: u32 = 0; row < rows; row++) {
    store<f64>(at, -1);
    at += rowBytes;
  }
}

/** Detections by falling score. */
function rank(): usize {
  const order = allocate((<usize>count) << 2);
  for (let i: u32 = 0; i < count; i++) store<u32>(order + (i << 2), i);
  sortByScore(order, count, scores);
  return order;
}

/** The best detection that is within a limit; `count` if there is none. */
function firstWithin(limit: f64): u32 {
  for (let i: u32 = 0; i < count; i++) {
    const at = load<u32>(ranking + (i << 2));
    if (<f64>load<u32>(places + (at << 2)) < limit) return at;
  }
  return count;
}

/**
 * Collects what curves are drawn from. Most detections find nothing, and are ignored at all thresholds of most area ranges: these
 * are counted once for all limits. @returns how many detections an image has at most.
 */
function collect(words: usize): u32 {
  tellingBytes = 16 + ((<usize>limitCount) << 2);
  telling = allocate(<usize>rangeCount * count * tellingBytes);
  tellingEnds = allocate((<usize>rangeCount) << 2);
  for (let a: u32 = 0; a < rangeCount; a++) store<usize>(tellingEnds + (a << 2), tellingOf(a));
  seen = allocateZeros((<usize>rangeCount * limitCount) << 2);
  const all: u32 = thresholdCount === 32 ? 0xffffffff : (1 << thresholdCount) - 1;
  const limitsEnd = limits + (limitCount << 3);
  const ranges = rangeCount;
  const placeOf = places;
  const end = ranking + (count << 2);
  let most: u32 = 0;
  for (let next = ranking; next < end; next += 4) {
    const at = load<u32>(next);
    const place = load<u32>(placeOf + (at << 2));
    most = max(most, place + 1);
    let limit = limits;
    while (limit < limitsEnd && !(<f64>place < load<f64>(limit))) limit += 8;
    if (limit === limitsEnd) continue;
    const first = <u32>((limit - limits) >> 3);
    let own = words + ((at * ranges) << 3);
    for (let a: u32 = 0; a < ranges; a++) {
      const ignored = load<u32>(own, 4) & all;
      if (ignored !== all) countOnce(a, at, load<u32>(own) & ~ignored & all, ignored, first);
      own += 8;
    }
  }
  return most;
}

/** Counts a detection, and notes it if it tells something, with how many count up to it. */
function countOnce(a: u32, at: u32, found: u32, ignored: u32, first: u32): void {
  const counted = seen + ((a * limitCount) << 2);
  store<u32>(counted + (first << 2), load<u32>(counted + (first << 2)) + 1);
  if ((found | ignored) === 0) return;
  const to = load<usize>(tellingEnds + (a << 2));
  store<u32>(to, at);
  store<u32>(to, found, 4);
  store<u32>(to, ignored, 8);
  store<u32>(to, first, 12);
  let sum: u32 = 0;
  for (let m: u32 = 0; m < limitCount; m++) {
    sum += load<u32>(counted + (m << 2));
    store<u32>(to + (m << 2), sum, 16);
  }
  store<usize>(tellingEnds + (a << 2), to + tellingBytes);
}

/** Where the telling detections of an area range begin. */
function tellingOf(a: u32): usize {
  return telling + <usize>a * count * tellingBytes;
}

/** Draws the curves of all thresholds in one pass, of which only bits that are set are walked over. */
function trace(a: u32, m: u32): void {
  const passed = skipped;
  const found = hitCounts;
  for (let t: u32 = 0; t < thresholdCount; t++) {
    store<u32>(found + (t << 2), 0);
    store<u32>(passed + (t << 2), 0);
  }
  const most = count;
  const foundAt = hits;
  const precisionAt = precisions;
  const bytes = tellingBytes;
  const end = load<usize>(tellingEnds + (a << 2));
  for (let own = tellingOf(a); own < end; own += bytes) {
    if (load<u32>(own, 12) > m) continue;
    for (let rest = load<u32>(own, 8); rest !== 0; rest &= rest - 1) {
      const t = ctz(rest) << 2;
      store<u32>(passed + t, load<u32>(passed + t) + 1);
    }
    const at = load<u32>(own);
    const counted = load<u32>(own + (m << 2), 16);
    for (let rest = load<u32>(own, 4); rest !== 0; rest &= rest - 1) {
      const t: u32 = ctz(rest);
      const before = load<u32>(found + (t << 2));
      const place = t * most + before;
      store<u32>(found + (t << 2), before + 1);
      store<u32>(foundAt + (place << 2), at);
      const precision = <f64>(before + 1) / (<f64>(counted - load<u32>(passed + (t << 2))) + EPSILON);
      store<f64>(precisionAt + (place << 3), precision);
    }
  }
  for (let t: u32 = 0; t < thresholdCount; t++) raise(t);
}

/** Makes precision the highest from there on. */
function raise(t: u32): void {
  const start = precisions + ((t * count) << 3);
  let highest: f64 = 0;
  for (let at = start + (load<u32>(hitCounts + (t << 2)) << 3); at > start;) {
    at -= 8;
    const own = load<f64>(at);
    if (own > highest) highest = own;
    else store<f64>(at, highest);
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
  const own = scores;
  const step = rowBytes;
  const isEmpty = best === count;
  let threshold = recalls;
  const end = reached + (recallCount << 2);
  for (let at = reached; at < end; at += 4) {
    // As in pycocotools, recall 0 is reached by the first detection, whether it finds something or not.
    const isBeforeAll = load<f64>(threshold) <= 0 && !isEmpty;
    const place: u32 = isBeforeAll ? 0 : load<u32>(at);
    if (place < length) {
      store<f64>(precision, load<f64>(ownPrecisions + (place << 3)));
      store<f64>(score, load<f64>(own + ((isBeforeAll ? best : load<u32>(ownHits + (place << 2))) << 3)));
    } else {
      store<f64>(precision, 0);
      store<f64>(score, isBeforeAll ? load<f64>(own + (best << 3)) : 0);
    }
    precision += step;
    score += step;
    threshold += 8;
  }
}
