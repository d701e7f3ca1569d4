/** Orders by image, and by falling score; equal ones keep their order. */
import { allocate, allocateZeros, mark, release } from './memory';

/** Most groups are this small. */
const FEW: u32 = 40;
const BINS: u32 = 256;

/** @returns the place of the indices from `first` on by rising image: index i has `images[i]`, below `imageCount`. */
export function sortByImage(first: u32, count: u32, images: usize, imageCount: u32): usize {
  const sorted = allocate((<usize>count) << 2);
  for (let i: u32 = 0; i < count; i++) store<u32>(sorted + (i << 2), first + i);
  if (isByImage(first, count, images)) return sorted;
  const start = mark();
  const bins = allocate(BINS << 2);
  let order = sorted;
  let other = allocate((<usize>count) << 2);
  for (let shift: u32 = 0; shift < 32 && (imageCount - 1) >> shift !== 0; shift += 8) {
    memory.fill(bins, 0, BINS << 2);
    for (let i = first; i < first + count; i++) {
      const bin = bins + (((load<u32>(images + (i << 2)) >> shift) & 255) << 2);
      store<u32>(bin, load<u32>(bin) + 1);
    }
    startBins(bins);
    for (let at = order; at < order + (count << 2); at += 4) {
      const index = load<u32>(at);
      const bin = bins + (((load<u32>(images + (index << 2)) >> shift) & 255) << 2);
      const to = load<u32>(bin);
      store<u32>(bin, to + 1);
      store<u32>(other + (to << 2), index);
    }
    const before = order;
    order = other;
    other = before;
  }
  if (order !== sorted) memory.copy(sorted, order, (<usize>count) << 2);
  release(start);
  return sorted;
}

/** As most files of results are. */
function isByImage(first: u32, count: u32, images: usize): bool {
  for (let i = first + 1; i < first + count; i++) {
    if (load<u32>(images + ((i - 1) << 2)) > load<u32>(images + (i << 2))) return false;
  }
  return true;
}

/** Sorts 32-bit indices by their scores: index i has `scores[i]`. */
export function sortByScore(indices: usize, count: u32, scores: usize): void {
  if (count <= FEW) insertByScore(indices, count, scores);
  else sortByDigits(indices, count, scores);
}

function insertByScore(indices: usize, count: u32, scores: usize): void {
  const end = indices + (count << 2);
  for (let at = indices + 4; at < end; at += 4) {
    const index = load<u32>(at);
    const score = load<f64>(scores + (index << 3));
    let to = at;
    while (to > indices && load<f64>(scores + (load<u32>(to - 4) << 3)) < score) {
      store<u32>(to, load<u32>(to - 4));
      to -= 4;
    }
    store<u32>(to, index);
  }
}

/** By bytes of the scores, from the last one on; those that all scores share are passed over. */
function sortByDigits(indices: usize, count: u32, scores: usize): void {
  const start = mark();
  let keys = allocate((<usize>count) << 3);
  let otherKeys = allocate((<usize>count) << 3);
  let order = indices;
  let otherOrder = allocate((<usize>count) << 2);
  const counts = allocateZeros((8 * BINS) << 2);
  for (let i: u32 = 0; i < count; i++) {
    const key = fallingKey(load<f64>(scores + (load<u32>(indices + (i << 2)) << 3)));
    store<u64>(keys + (i << 3), key);
    for (let digit: u32 = 0; digit < 8; digit++) {
      const bin = counts + ((digit * BINS + ((<u32>(key >> (8 * digit))) & 255)) << 2);
      store<u32>(bin, load<u32>(bin) + 1);
    }
  }
  for (let digit: u32 = 0; digit < 8; digit++) {
    const bins = counts + ((digit * BINS) << 2);
    const shift: u64 = 8 * digit;
    if (load<u32>(bins + (((<u32>(load<u64>(keys) >> shift)) & 255) << 2)) === count) continue;
    startBins(bins);
    for (let i: u32 = 0; i < count; i++) {
      const key = load<u64>(keys + (i << 3));
      const bin = bins + (((<u32>(key >> shift)) & 255) << 2);
      const to = load<u32>(bin);
      store<u32>(bin, to + 1);
      store<u64>(otherKeys + (to << 3), key);
      store<u32>(otherOrder + (to << 2), load<u32>(order + (i << 2)));
    }
    const keysBefore = keys;
    keys = otherKeys;
    otherKeys = keysBefore;
    const orderBefore = order;
    order = otherOrder;
    otherOrder = orderBefore;
  }
  if (order !== indices) memory.copy(indices, order, (<usize>count) << 2);
  release(start);
}

/** A key that is the smaller the greater the score is. */
function fallingKey(score: f64): u64 {
  const bits = reinterpret<u64>(score + 0.0); // -0 is 0
  return bits >> 63 ? bits : ~bits & 0x7fffffffffffffff;
}

/** Turns the sizes of bins into where they begin. */
function startBins(bins: usize): void {
  let next: u32 = 0;
  for (let bin = bins; bin < bins + (BINS << 2); bin += 4) {
    const size = load<u32>(bin);
    store<u32>(bin, next);
    next += size;
  }
}
