/**
 * The comparison of the detections of one category with its objects, image after image (pycocotools' computeIoU and evaluateImg):
 * the counterpart of src/evaluate/image-evaluator.ts for boxes and masks by categories, at up to 32 thresholds.
 */
import { ignoredBits, match, matchedBits, placeOf, prepareMatching, useThresholds } from './matching';
import { allocate, allocateZeros, mark, release } from './memory';
import { Objects } from './objects';
import { sortByImage, sortByScore } from './order';
import { boxSimilarity, maskSimilarity } from './similarity';

/** More have no room in the memory; the host then goes another way. */
const MOST_PAIRS: u64 = 1 << 27;

let truth: Objects = changetype<Objects>(0);
let found: Objects = changetype<Objects>(0);
let usesMasks: bool = false;
/** Height and width, and the id, of each image. */
let sizes: usize = 0;
let imageIds: usize = 0;

let thresholdCount: u32 = 0;
let floor: f64 = 0;
/** Inclusive, in square pixels. */
let ranges: usize = 0;
let rangeCount: u32 = 0;
let maxDet: u32 = 0;

let imageCount: u32 = 0;
/** Of each image: how many detections the category has there, 0 between two categories, and where they begin. */
let dtCounts: usize = 0;
let dtStarts: usize = 0;

/** The answers for a category: how many images and detections it has, and where all else is, by the names below. */
let answers: usize = 0;
/** Objects to be found in each area range. */
let wanted: usize = 0;
/** The id of each image with detections, and where these begin. */
let outImages: usize = 0;
let outStarts: usize = 0;
/** Detections, image after image, best first: which each is, its place in the image, its score; then which is the best of all, ... */
let chosen: usize = 0;
let places: usize = 0;
let scores: usize = 0;
let ranking: usize = 0;
/** Two words for each area range: a bit for each threshold, of those matched, then of those ignored. */
let bits: usize = 0;

/** Takes what is compared. @param imagesUsed how many images there are. */
export function useObjects(
  objects: Objects,
  results: Objects,
  masks: bool,
  sizesOfImages: usize,
  idsOfImages: usize,
  imagesUsed: u32,
): void {
  truth = objects;
  found = results;
  usesMasks = masks;
  sizes = sizesOfImages;
  imageIds = idsOfImages;
  imageCount = imagesUsed;
  dtCounts = allocateZeros((<usize>imageCount) << 2);
  dtStarts = allocate((<usize>imageCount) << 2);
  answers = allocate(9 * 4);
}

/** Takes how it is compared. @param least similarity that can match. */
export function useParams(
  thresholds: usize,
  thresholdsUsed: u32,
  least: f64,
  areaRanges: usize,
  rangesUsed: u32,
  limit: u32,
): void {
  useThresholds(thresholds, thresholdsUsed, least);
  thresholdCount = thresholdsUsed;
  floor = least;
  ranges = areaRanges;
  rangeCount = rangesUsed;
  maxDet = limit;
}

/** Compares what is of a category. @returns the places of the answers. */
export function compareCategory(category: u32): usize {
  const firstDt = load<u32>(found.starts + (category << 2));
  const firstGt = load<u32>(truth.starts + (category << 2));
  const dtCount = load<u32>(found.starts + (category << 2), 4) - firstDt;
  const gtCount = load<u32>(truth.starts + (category << 2), 4) - firstGt;
  wanted = allocateZeros((<usize>rangeCount) << 2);
  const dts = sortByImage(firstDt, dtCount, found.images, imageCount);
  const imagesFound = keepBest(dts, dtCount);
  const kept = placeByScore(dts, dtCount);
  const gts = sortByImage(firstGt, gtCount, truth.images, imageCount);
  const end = gts + (gtCount << 2);
  for (let first = gts; first < end;) {
    const next = nextImage(first, end, truth.images);
    const start = mark();
    compareImage(imageOf(first, truth.images), first, <u32>((next - first) >> 2));
    release(start);
    first = next;
  }
  for (let i: u32 = 0; i < dtCount; i++) store<u32>(dtCounts + (imageOf(dts + (i << 2), found.images) << 2), 0);
  store<u32>(answers, imagesFound);
  store<u32>(answers, kept, 4);
  store<usize>(answers, wanted, 8);
  store<usize>(answers, outImages, 12);
  store<usize>(answers, outStarts, 16);
  store<usize>(answers, scores, 20);
  store<usize>(answers, places, 24);
  store<usize>(answers, bits, 28);
  store<usize>(answers, ranking, 32);
  return answers;
}

/** The image of the object whose index stands at a place. */
function imageOf(at: usize, images: usize): u32 {
  return load<u32>(images + (load<u32>(at) << 2));
}

/** Where the indices of the next image's objects begin. */
function nextImage(at: usize, end: usize, images: usize): usize {
  const image = imageOf(at, images);
  do at += 4;
  while (at < end && imageOf(at, images) === image);
  return at;
}

/** Finds where the detections of each image begin among those that count. @returns how many images have some. */
function keepBest(dts: usize, dtCount: u32): u32 {
  outImages = allocate((<usize>dtCount) << 3);
  outStarts = allocate((<usize>dtCount) << 2);
  let kept: u32 = 0;
  let images: u32 = 0;
  const end = dts + (dtCount << 2);
  for (let first = dts; first < end;) {
    const image = imageOf(first, found.images);
    const next = nextImage(first, end, found.images);
    store<f64>(outImages + (images << 3), load<f64>(imageIds + (image << 3)));
    store<u32>(outStarts + (images << 2), kept);
    store<u32>(dtStarts + (image << 2), kept);
    kept += min(<u32>((next - first) >> 2), maxDet);
    images++;
    first = next;
  }
  return images;
}

/** Places detections by falling score, as many of each image as count. @returns how many these are. */
function placeByScore(dts: usize, count: u32): u32 {
  ranking = allocate((<usize>count) << 2);
  chosen = allocate((<usize>count) << 2);
  places = allocate((<usize>count) << 2);
  scores = allocate((<usize>count) << 3);
  sortByScore(dts, count, found.scores);
  const images = found.images;
  const scoreOf = found.scores;
  let next = ranking;
  for (let end = dts + (count << 2); dts < end; dts += 4) {
    const index = load<u32>(dts);
    const image = load<u32>(images + (index << 2)) << 2;
    const place = add(dtCounts + image, 1);
    if (place >= maxDet) continue;
    const at = load<u32>(dtStarts + image) + place;
    store<u32>(next, at);
    store<u32>(chosen + (at << 2), index);
    store<u32>(places + (at << 2), place);
    store<f64>(scores + (at << 3), load<f64>(scoreOf + (index << 3)));
    next += 4;
  }
  const kept = <u32>((next - ranking) >> 2);
  bits = allocate((<usize>kept * rangeCount) << 3);
  let words = bits;
  for (let at: u32 = 0; at < kept; at++) words = markOutside(load<u32>(chosen + (at << 2)), words);
  return kept;
}

/** Writes in which area ranges a detection is ignored unless it finds something. @returns the place behind. */
function markOutside(index: u32, words: usize): usize {
  const box = found.boxes + (index << 5);
  const area = found.areas === 0 ? load<f64>(box, 16) * load<f64>(box, 24) : load<f64>(found.areas + (index << 3));
  const end = ranges + (rangeCount << 4);
  for (let range = ranges; range < end; range += 16) {
    store<u64>(words, isOutside(area, range) ? 0xffffffff00000000 : 0);
    words += 8;
  }
  return words;
}

/** Compares an image's objects with its detections. */
function compareImage(image: u32, gts: usize, g: u32): void {
  const d = min(load<u32>(dtCounts + (image << 2)), maxDet);
  const first = load<u32>(dtStarts + (image << 2));
  const ignored = allocate(3 * <usize>g);
  const crowds = ignored + g;
  const named = crowds + g;
  const hopeful = d > 0 ? findHopeful(image, gts, g, first, d, crowds, named) : 0;
  const all: u32 = thresholdCount === 32 ? 0xffffffff : (1 << thresholdCount) - 1;
  // Where all objects are ignored, or none is, the same ones are found.
  let isUniform = false;
  for (let a: u32 = 0; a < rangeCount; a++) {
    const toFind = flagIgnored(gts, g, ranges + (a << 4), ignored);
    add(wanted + (a << 2), toFind);
    const isAsBefore = isUniform && (toFind === 0 || toFind === g);
    isUniform = toFind === 0 || toFind === g;
    if (hopeful > 0 && !isAsBefore) match(ignored, crowds, named, toFind < g, toFind > 0);
    const words = bits + ((first * rangeCount + a) << 3);
    for (let h: u32 = 0; h < hopeful; h++) {
      const own = words + ((placeOf(h) * rangeCount) << 3);
      const matched = matchedBits(h);
      const ignoredAlone = load<u32>(own, 4) & all & ~matched;
      store<u32>(own, matched);
      store<u32>(
        own,
        ignoredAlone | (isUniform ? (toFind === 0 ? ignoredBits(h, true) : 0) : ignoredBits(h, false)),
        4,
      );
    }
  }
}

/** Compares the objects of an image with its detections from `first` on. @returns how many of these may match. */
function findHopeful(image: u32, gts: usize, g: u32, first: u32, d: u32, crowds: usize, named: usize): u32 {
  if (<u64>d * g > MOST_PAIRS) unreachable();
  const values = allocate((<usize>(d * g)) << 3);
  const dts = chosen + (first << 2);
  if (usesMasks) maskSimilarity(found, dts, d, truth, gts, g, sizes + (image << 3), floor, values);
  else boxSimilarity(found, dts, d, truth, gts, g, values);
  for (let j: u32 = 0; j < g; j++) {
    const object = load<u32>(gts + (j << 2));
    store<u8>(crowds + j, load<u32>(truth.crowds + (object << 2)));
    store<u8>(named + j, load<f64>(truth.ids + (object << 3)) !== 0 ? 1 : 0);
  }
  return prepareMatching(values, d, g);
}

/** Flags objects that are ignored in an area range. @returns how many are not. */
function flagIgnored(gts: usize, g: u32, range: usize, ignored: usize): u32 {
  let toFind: u32 = 0;
  for (let j: u32 = 0; j < g; j++) {
    const object = load<u32>(gts + (j << 2));
    const isIgnored =
      load<u32>(truth.ignored + (object << 2)) === 1 || isOutside(load<f64>(truth.areas + (object << 3)), range);
    store<u8>(ignored + j, isIgnored ? 1 : 0);
    if (!isIgnored) toFind++;
  }
  return toFind;
}

function isOutside(area: f64, range: usize): bool {
  return area < load<f64>(range) || area > load<f64>(range, 8);
}

/** Adds to an entry. @returns what it was before. */
function add(at: usize, by: u32): u32 {
  const before = load<u32>(at);
  store<u32>(at, before + by);
  return before;
}
