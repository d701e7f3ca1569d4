/**
 * The comparison of one image's detections with its objects after the other (pycocotools' computeIoU and evaluateImg): the
 * counterpart of src/evaluate/image-evaluator.ts for boxes and masks by categories, at up to 32 thresholds.
 */
import { ignoredBits, match, matchedBits, placeOf, prepareMatching, useThresholds } from './matching';
import { allocate, allocateZeros, mark, release } from './memory';
import { Objects } from './objects';
import { sortByScore } from './order';
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

/** By category: objects to be found in each area range, how many images, and how many detections there are so far. */
let wanted: usize = 0;
let images: usize = 0;
let detections: usize = 0;
/** By category: where its first image and its first detection are in the columns below. */
let firstImages: usize = 0;
let firstDetections: usize = 0;
/** The id of each image, and where its detections begin in its category. */
let outImages: usize = 0;
let outStarts: usize = 0;
let outScores: usize = 0;
/** Two words for each area range: a bit for each threshold, of those matched, then of those ignored. */
let outBits: usize = 0;

/** Work space of an image: how many objects and detections a category has, and where they end. */
let gtCounts: usize = 0;
let dtCounts: usize = 0;
let gtEnds: usize = 0;
let dtEnds: usize = 0;
let present: usize = 0;

/** Takes what is compared. */
export function useObjects(
  objects: Objects,
  results: Objects,
  masks: bool,
  sizesOfImages: usize,
  idsOfImages: usize,
): void {
  truth = objects;
  found = results;
  usesMasks = masks;
  sizes = sizesOfImages;
  imageIds = idsOfImages;
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

/**
 * Makes room for the answers: in a category there are at most as many images as objects and detections.
 * @returns places: by category objects, images, detections, first image and first detection; then the columns.
 */
export function beginEvaluation(truthCount: u32, foundCount: u32, categories: u32): usize {
  wanted = allocateZeros((<usize>categories * rangeCount) << 2);
  images = allocateZeros((<usize>categories) << 2);
  detections = allocateZeros((<usize>categories) << 2);
  firstImages = allocate((<usize>categories) << 2);
  firstDetections = allocate((<usize>categories) << 2);
  gtCounts = allocateZeros((<usize>categories) << 2);
  dtCounts = allocateZeros((<usize>categories) << 2);
  gtEnds = allocate((<usize>categories) << 2);
  dtEnds = allocate((<usize>categories) << 2);
  present = allocate((<usize>categories) << 2);
  countIn(truthCount, truth.categories, images);
  countIn(foundCount, found.categories, images);
  countIn(foundCount, found.categories, detections);
  let imageTotal: u32 = 0;
  let detectionTotal: u32 = 0;
  for (let category: usize = 0; category < (<usize>categories) << 2; category += 4) {
    store<u32>(firstImages + category, imageTotal);
    store<u32>(firstDetections + category, detectionTotal);
    imageTotal += load<u32>(images + category);
    detectionTotal += load<u32>(detections + category);
    store<u32>(images + category, 0);
    store<u32>(detections + category, 0);
  }
  outImages = allocate((<usize>imageTotal) << 3);
  outStarts = allocate((<usize>imageTotal) << 2);
  outScores = allocate((<usize>detectionTotal) << 3);
  outBits = allocateZeros((<usize>detectionTotal * rangeCount) << 3);
  const places = allocate(9 * 4);
  store<usize>(places, wanted);
  store<usize>(places, images, 4);
  store<usize>(places, detections, 8);
  store<usize>(places, firstImages, 12);
  store<usize>(places, firstDetections, 16);
  store<usize>(places, outImages, 20);
  store<usize>(places, outStarts, 24);
  store<usize>(places, outScores, 28);
  store<usize>(places, outBits, 32);
  return places;
}

/** Compares what some of these images show. */
export function evaluateImages(chosen: usize, count: u32): void {
  for (let i: u32 = 0; i < count; i++) {
    const start = mark();
    evaluateImage(load<u32>(chosen + (i << 2)));
    release(start);
  }
}

/** Adds how many objects each category has. */
function countIn(count: u32, categories: usize, counts: usize): void {
  for (let i: u32 = 0; i < count; i++) {
    const category = load<i32>(categories + (i << 2));
    if (category >= 0) add(counts + ((<usize>category) << 2), 1);
  }
}

/** Counts an image's objects and detections by category. @returns how many categories are present. */
function countCategories(image: u32): u32 {
  return countOfImage(truth, image, gtCounts, countOfImage(found, image, dtCounts, 0));
}

function countOfImage(objects: Objects, image: u32, counts: usize, there: u32): u32 {
  const end = load<u32>(objects.starts + (image << 2), 4);
  for (let i = load<u32>(objects.starts + (image << 2)); i < end; i++) {
    const category = load<i32>(objects.categories + (load<u32>(objects.order + (i << 2)) << 2));
    if (category < 0) continue;
    const at = (<usize>category) << 2;
    if (load<u32>(gtCounts + at) === 0 && load<u32>(dtCounts + at) === 0) {
      store<u32>(present + (there << 2), category);
      there++;
    }
    add(counts + at, 1);
  }
  return there;
}

/** Splits an image's objects by category. @returns their indices, those of a category before its end. */
function splitByCategory(objects: Objects, image: u32, there: u32, counts: usize, ends: usize): usize {
  let start: u32 = 0;
  for (let p: u32 = 0; p < there; p++) {
    const category = (<usize>load<u32>(present + (p << 2))) << 2;
    store<u32>(ends + category, start);
    start += load<u32>(counts + category);
  }
  const split = allocate((<usize>start) << 2);
  const end = load<u32>(objects.starts + (image << 2), 4);
  for (let i = load<u32>(objects.starts + (image << 2)); i < end; i++) {
    const index = load<u32>(objects.order + (i << 2));
    const category = load<i32>(objects.categories + (index << 2));
    if (category >= 0) store<u32>(split + (add(ends + ((<usize>category) << 2), 1) << 2), index);
  }
  return split;
}

function evaluateImage(image: u32): void {
  const there = countCategories(image);
  const gts = splitByCategory(truth, image, there, gtCounts, gtEnds);
  const dts = splitByCategory(found, image, there, dtCounts, dtEnds);
  for (let p: u32 = 0; p < there; p++) {
    const category = load<u32>(present + (p << 2));
    const at = (<usize>category) << 2;
    const g = load<u32>(gtCounts + at);
    const d = load<u32>(dtCounts + at);
    store<u32>(gtCounts + at, 0);
    store<u32>(dtCounts + at, 0);
    const start = mark();
    const own = dts + ((load<u32>(dtEnds + at) - d) << 2);
    sortByScore(own, d, found.scores);
    evaluateGroup(image, category, gts + ((load<u32>(gtEnds + at) - g) << 2), g, own, min(d, maxDet));
    release(start);
  }
}

/** Compares an image's objects and detections, best first, of one category. */
function evaluateGroup(image: u32, category: u32, gts: usize, g: u32, dts: usize, d: u32): void {
  const place = load<u32>(firstImages + (category << 2)) + add(images + (category << 2), 1);
  const firstOfImage = add(detections + (category << 2), d);
  const first = load<u32>(firstDetections + (category << 2)) + firstOfImage;
  store<f64>(outImages + (place << 3), load<f64>(imageIds + (image << 3)));
  store<u32>(outStarts + (place << 2), firstOfImage);
  for (let i: u32 = 0; i < d; i++) noteDetection(load<u32>(dts + (i << 2)), first + i);
  const ignored = g > 0 ? allocate(3 * <usize>g) : 0;
  const crowds = ignored + g;
  const named = crowds + g;
  const hopeful = g > 0 && d > 0 ? findHopeful(image, gts, g, dts, d, crowds, named) : 0;
  const all: u32 = thresholdCount === 32 ? 0xffffffff : (1 << thresholdCount) - 1;
  // Where all objects are ignored, or none is, the same ones are found.
  let isUniform = false;
  for (let a: u32 = 0; a < rangeCount; a++) {
    const range = ranges + (a << 4);
    const toFind = flagIgnored(gts, g, range, ignored);
    add(wanted + ((category * rangeCount + a) << 2), toFind);
    const isAsBefore = isUniform && (toFind === 0 || toFind === g);
    isUniform = toFind === 0 || toFind === g;
    if (hopeful > 0 && !isAsBefore) match(ignored, crowds, named, toFind < g, toFind > 0);
    const words = outBits + ((first * rangeCount + a) << 3);
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

/** Writes a detection's score, and the area ranges in which it is ignored unless it finds something. */
function noteDetection(index: u32, place: u32): void {
  store<f64>(outScores + (place << 3), load<f64>(found.scores + (index << 3)));
  const area = load<f64>(found.areas + (index << 3));
  const words = outBits + ((place * rangeCount) << 3);
  for (let a: u32 = 0; a < rangeCount; a++) {
    if (isOutside(area, ranges + (a << 4))) store<u32>(words + (a << 3), 0xffffffff, 4);
  }
}

/** Compares the objects and detections of a group. @returns how many detections may match. */
function findHopeful(image: u32, gts: usize, g: u32, dts: usize, d: u32, crowds: usize, named: usize): u32 {
  if (<u64>d * g > MOST_PAIRS) unreachable();
  const values = allocate((<usize>(d * g)) << 3);
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
