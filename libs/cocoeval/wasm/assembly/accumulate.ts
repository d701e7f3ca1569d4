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
    if (toFind === 0) continue;
    reachRecalls(<f64>toFind);
    for (let m: u32 = 0; m < limitCount; m++) {
      // The curves of a limit that leaves nothing out are those of the next one too.
      if (m === 0 || load<f64>(limits + ((m - 1) << 3)) < <f64>most) trace(a, m);
      const best = firstWithin(load<f64>(limits + (m << 3)));
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
  let most: u32 = 0;
  for (let i: u32 = 0; i < count; i++) {
    const at = load<u32>(ranking + (i << 2));
    const place = load<u32>(places + (at << 2));
    most = max(most, place + 1);
    let first: u32 = 0;
    while (first < limitCount && !(<f64>place < load<f64>(limits + (first << 3)))) first++;
    if (first === limitCount) continue;
    for (let a: u32 = 0; a < rangeCount; a++) {
      const own = words + ((at * rangeCount + a) << 3);
      const ignored = load<u32>(own, 4) & all;
      if (ignored === all) continue;
      const counted = seen + ((a * limitCount + first) << 2);
      store<u32>(counted, load<u32>(counted) + 1);
      const found = load<u32>(own) & ~ignored & all;
      if ((found | ignored) !== 0) tell(a, at, found, ignored, first);
    }
  }
  return most;
}

/** Notes a detection, and how many count up to it. */
function tell(a: u32, at: u32, found: u32, ignored: u32, first: u32): void {
  const to = load<usize>(tellingEnds + (a << 2));
  store<u32>(to, at);
  store<u32>(to, found, 4);
  store<u32>(to, ignored, 8);
  store<u32>(to, first, 12);
  let sum: u32 = 0;
  for (let m: u32 = 0; m < limitCount; m++) {
    sum += load<u32>(seen + ((a * limitCount + m) << 2));
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
  for (let t: u32 = 0; t < thresholdCount; t++) {
    store<u32>(hitCounts + (t << 2), 0);
    store<u32>(skipped + (t << 2), 0);
  }
  const end = load<usize>(tellingEnds + (a << 2));
  for (let own = tellingOf(a); own < end; own += tellingBytes) {
    if (load<u32>(own, 12) > m) continue;
    for (let rest = load<u32>(own, 8); rest !== 0; rest &= rest - 1) {
      const passed = skipped + (ctz(rest) << 2);
      store<u32>(passed, load<u32>(passed) + 1);
    }
    const at = load<u32>(own);
    const seenHere = load<u32>(own + (m << 2), 16);
    for (let rest = load<u32>(own, 4); rest !== 0; rest &= rest - 1) hit(ctz(rest), at, seenHere);
  }
  for (let t: u32 = 0; t < thresholdCount; t++) raise(t);
}

function hit(t: u32, at: u32, seenHere: u32): void {
  const found = load<u32>(hitCounts + (t << 2));
  store<u32>(hitCounts + (t << 2), found + 1);
  store<u32>(hits + ((t * count + found) << 2), at);
  const counted = <f64>(seenHere - load<u32>(skipped + (t << 2)));
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
    const at = isBeforeAll ? best : isReached ? load<u32>(ownHits + (place << 2)) : count;
    store<f64>(score, at < count ? load<f64>(scores + (at << 3)) : 0);
    precision += step;
    score += step;
  }
}
