/**
 * Which detection finds which object. The counterpart of src/evaluate/matching.ts, where the rules are written. Of a group only
 * its hopeful detections are looked at: those that are similar enough to some object.
 */
import { allocate } from './memory';

let thresholds: usize = 0;
let thresholdCount: u32 = 0;
let floor: f64 = 0;

/** How many objects the group has; whether each was taken already, which crowds never are. */
let objects: u32 = 0;
let taken: usize = 0;
/** Hopeful detections of the group: how many, their places, and their highest similarities. */
let hopeful: u32 = 0;
let places: usize = 0;
let highest: usize = 0;
/** Detection h may match `candidates[starts[h]]` to `candidates[starts[h + 1] - 1]`: objects, and how similar they are. */
let starts: usize = 0;
let candidates: usize = 0;
let similarities: usize = 0;
/** A bit for each threshold at which detection h found an object, found one with a name, and found an ignored one. */
let found: usize = 0;
let foundNamed: usize = 0;
let foundIgnored: usize = 0;

/** @param values thresholds, below 1. @param least similarity that can lead to a match. */
export function useThresholds(values: usize, count: u32, least: f64): void {
  thresholds = values;
  thresholdCount = count;
  floor = least;
}

/** Takes the similarities of D detections, best first, with G objects. @returns how many detections are hopeful. */
export function prepareMatching(values: usize, d: u32, g: u32): u32 {
  objects = g;
  taken = allocate(g);
  places = allocate((<usize>d) << 2);
  highest = allocate((<usize>d) << 3);
  starts = allocate((<usize>(d + 1)) << 2);
  candidates = allocate((<usize>(d * g)) << 2);
  similarities = values;
  hopeful = 0;
  let count: u32 = 0;
  for (let i: u32 = 0; i < d; i++) {
    const first = count;
    let most = -Infinity;
    for (let j: u32 = 0; j < g; j++) {
      const similarity = load<f64>(values);
      values += 8;
      if (similarity < floor) continue;
      // Where the last values are no longer needed, so that candidates' follow each other.
      store<f64>(similarities + (count << 3), similarity);
      store<u32>(candidates + (count << 2), j);
      most = similarity < most ? most : similarity;
      count++;
    }
    if (count === first) continue;
    store<u32>(places + (hopeful << 2), i);
    store<f64>(highest + (hopeful << 3), most);
    store<u32>(starts + (hopeful << 2), first);
    hopeful++;
  }
  store<u32>(starts + (hopeful << 2), count);
  found = allocate((<usize>hopeful) << 2);
  foundNamed = allocate((<usize>hopeful) << 2);
  foundIgnored = allocate((<usize>hopeful) << 2);
  return hopeful;
}

/** The place of a hopeful detection. */
export function placeOf(h: u32): u32 {
  return load<u32>(places + (h << 2));
}

/** Thresholds at which a hopeful detection found an object that counts as one: one with an id. */
export function matchedBits(h: u32): u32 {
  return load<u32>(foundNamed + (h << 2));
}

/** Thresholds at which a hopeful detection found an ignored object. @param all whether all objects are ignored. */
export function ignoredBits(h: u32, all: bool): u32 {
  return load<u32>((all ? found : foundIgnored) + (h << 2));
}

/**
 * Matches the group that was prepared last. @param ignored @param crowds @param named a byte for each object.
 * @param some whether some are ignored, and @param others whether some are not.
 */
export function match(ignored: usize, crowds: usize, named: usize, some: bool, others: bool): void {
  if (objects === 1) {
    matchOne(load<u8>(ignored) !== 0, load<u8>(crowds) !== 0, load<u8>(named) !== 0);
    return;
  }
  for (let h: u32 = 0; h < hopeful; h++) {
    store<u32>(found + (h << 2), 0);
    store<u32>(foundNamed + (h << 2), 0);
    store<u32>(foundIgnored + (h << 2), 0);
  }
  for (let t: u32 = 0; t < thresholdCount; t++) {
    const threshold = load<f64>(thresholds + (t << 3));
    for (let g: u32 = 0; g < objects; g += 8) store<u64>(taken + g, 0);
    let free = objects;
    for (let h: u32 = 0; h < hopeful && free > 0; h++) {
      if (load<f64>(highest + (h << 3)) < threshold) continue;
      let object = others ? best(h, threshold, ignored, crowds, 0) : -1;
      if (object < 0 && some) object = best(h, threshold, ignored, crowds, 1);
      if (object < 0) continue;
      if (load<u8>(crowds + object) === 0) {
        store<u8>(taken + object, 1);
        free--;
      }
      const bit: u32 = 1 << t;
      const at = h << 2;
      store<u32>(found + at, load<u32>(found + at) | bit);
      // pycocotools stores a match as the object's id, so that id 0 reads as unmatched.
      if (load<u8>(named + object) !== 0) store<u32>(foundNamed + at, load<u32>(foundNamed + at) | bit);
      if (load<u8>(ignored + object) !== 0) store<u32>(foundIgnored + at, load<u32>(foundIgnored + at) | bit);
    }
  }
}

/** The same for the one object of a group, as most have: the first detection that is similar enough finds it. */
function matchOne(isIgnored: bool, isCrowd: bool, isNamed: bool): void {
  let free: u32 = 0xffffffff;
  for (let h: u32 = 0; h < hopeful; h++) {
    const own = thresholdsUpTo(load<f64>(highest + (h << 3))) & free;
    store<u32>(found + (h << 2), own);
    store<u32>(foundNamed + (h << 2), isNamed ? own : 0);
    store<u32>(foundIgnored + (h << 2), isIgnored ? own : 0);
    if (!isCrowd) free &= ~own;
  }
}

/** A bit for each threshold that a similarity is not below. */
function thresholdsUpTo(similarity: f64): u32 {
  let bits: u32 = 0;
  for (let t: u32 = 0; t < thresholdCount; t++) {
    bits |= (similarity < load<f64>(thresholds + (t << 3)) ? 0 : <u32>1) << t;
  }
  return bits;
}

/** The best free object among those that are ignored (1) or not (0). */
function best(h: u32, threshold: f64, ignored: usize, crowds: usize, kind: u32): i32 {
  let object: i32 = -1;
  let bar = threshold;
  const end = load<u32>(starts + (h << 2), 4);
  for (let c = load<u32>(starts + (h << 2)); c < end; c++) {
    const g = load<u32>(candidates + (c << 2));
    if (load<u8>(ignored + g) !== kind) continue;
    if (load<u8>(taken + g) !== 0) continue;
    const similarity = load<f64>(similarities + (c << 3));
    if (similarity < bar) continue;
    bar = similarity;
    object = <i32>g;
  }
  return object;
}
