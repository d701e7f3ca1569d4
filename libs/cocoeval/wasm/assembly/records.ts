/** Images, annotations and results read from plain JSON into columns, a piece of a list at a time. */
import { allocate } from './memory';
import { AREA, BOX, CATEGORY, CROWD, FEDERATED, HEIGHT, ID, IMAGE, MASK, SCORE, WIDTH } from './keys';
import { beginNames, lastKey, readName } from './names';
import { lastNumber, readNumber, readNumbers } from './numbers';
import { CLOSE_LIST, CLOSE_OBJECT, COMMA, OPEN_OBJECT, refuse, skipSpace, skipValue, stoppedAt } from './plain-json';
import {
  MAX_PIXELS,
  isMask,
  keepSegmentations,
  lastArea,
  readSegmentation,
  segmentationColumns,
} from './segmentations';

/** What is read. */
const RESULTS: u32 = 1;
const BOXES: u32 = 2;
const MASKS: u32 = 4;
const IMAGES: u32 = 8;

/** What every result of a list has, as its first one. */
const UNKNOWN: u32 = 0;
const OF_BOXES: u32 = 1;
const OF_MASKS: u32 = 2;

/** Why reading stopped. */
const AT_END: u32 = 0;
const INCOMPLETE: u32 = 1;
const NOT_PLAIN: u32 = 2;

/** A record takes more bytes than this. */
const LEAST_BYTES: usize = 32;
const MAX_SAFE: f64 = 9007199254740991;

/** The bytes, then columns: where each record begins, its members, and those of segmentations. */
let input: usize = 0;
let starts: usize = 0;
let ids: usize = 0;
let imageIds: usize = 0;
let categoryIds: usize = 0;
let scores: usize = 0;
let crowds: usize = 0;
let areas: usize = 0;
let boxes: usize = 0;
/** Of images; the numbers are whole. */
let widths: usize = 0;
let heights: usize = 0;

let form: u32 = 0;
let kind: u32 = 0;
/** The record being read, and a bit for each member that it has. */
let index: u32 = 0;
let found: u32 = 0;
let stop: u32 = 0;
let resume: usize = 0;

/** Room for pieces of so many bytes. @returns the places of the input and of all columns. */
export function recordColumns(bytes: usize): usize {
  const records = bytes / LEAST_BYTES + 2;
  const places = allocate(19 * 4);
  input = allocate(bytes + 64);
  starts = allocate(records << 2);
  ids = allocate(records << 3);
  imageIds = allocate(records << 3);
  categoryIds = allocate(records << 3);
  scores = allocate(records << 3);
  crowds = allocate(records << 2);
  areas = allocate(records << 3);
  boxes = allocate(records << 5);
  widths = allocate(records << 3);
  heights = allocate(records << 3);
  store<usize>(places, input);
  store<usize>(places, starts, 4);
  store<usize>(places, ids, 8);
  store<usize>(places, imageIds, 12);
  store<usize>(places, categoryIds, 16);
  store<usize>(places, scores, 20);
  store<usize>(places, crowds, 24);
  store<usize>(places, areas, 28);
  store<usize>(places, boxes, 32);
  store<usize>(places, widths, 36);
  store<usize>(places, heights, 40);
  segmentationColumns(bytes, records, places + 44);
  return places;
}

/** Where reading goes on, as a distance from the input. */
export function resumeAt(): usize {
  return resume - input;
}

/** Why reading stopped. */
export function stopReason(): u32 {
  return stop;
}

/** What results have. */
export function resultKind(): u32 {
  return kind;
}

/**
 * Reads the elements of a list that the first bytes of the input hold, up to the list's end, the last whole one, or the first
 * that is not plain or breaks a rule.
 * @param what bits of what is read. @param kindBefore what the results before had. @returns how many were read.
 */
export function scanRecords(length: usize, what: u32, kindBefore: u32): u32 {
  const end = input + length;
  store<u8>(end, 0);
  form = what;
  kind = kindBefore;
  index = 0;
  let at = input;
  while (true) {
    resume = at;
    keepSegmentations(what & MASKS ? index : 0);
    const start = skipSpace(at);
    at = readRecord(start);
    if (at !== 0) {
      at = skipSpace(at);
      const byte: u32 = load<u8>(at);
      if (byte === COMMA || byte === CLOSE_LIST) {
        store<u32>(starts + (index << 2), <u32>(start - input));
        index++;
        if (byte === COMMA) {
          at++;
          continue;
        }
        resume = at;
        stop = AT_END;
        return index;
      }
      refuse(at);
    }
    stop = stoppedAt() >= end ? INCOMPLETE : NOT_PLAIN;
    return index;
  }
}

function readRecord(at: usize): usize {
  const start = at;
  if (load<u8>(at) !== OPEN_OBJECT) return refuse(at);
  at++;
  found = 0;
  beginNames();
  while (true) {
    at = readName(at);
    if (at === 0) return 0;
    at = readMember(lastKey(), at);
    if (at === 0) return 0;
    at = skipSpace(at);
    const byte: u32 = load<u8>(at);
    if (byte === CLOSE_OBJECT) break;
    if (byte !== COMMA) return refuse(at);
    at++;
  }
  const isRight = form & IMAGES ? completeImage() : form & RESULTS ? completeResult() : completeAnnotation();
  return isRight ? at + 1 : refuse(start);
}

/** Reads a member's value. */
function readMember(key: u32, at: usize): usize {
  const column = columnOf(key);
  if (column === 0) {
    if (key === FEDERATED && (form & IMAGES) !== 0) return refuse(at);
    if (key !== BOX && key !== MASK) return skipValue(at);
    if (has(key)) return refuse(at - 1);
    found |= 1 << key;
    if (key === BOX && (form & BOXES) !== 0) return readNumbers(at, 4, boxes + (index << 5));
    return key === MASK && (form & MASKS) !== 0 ? readSegmentation(at, index) : skipValue(at);
  }
  if (has(key)) return refuse(at - 1);
  found |= 1 << key;
  at = readNumber(at);
  store<f64>(column + (index << 3), lastNumber());
  return at;
}

/** Where numbers under a name go; 0 for those that are not read as numbers. */
function columnOf(key: u32): usize {
  if (form & IMAGES) return key === ID ? ids : key === WIDTH ? widths : key === HEIGHT ? heights : 0;
  if (key === IMAGE) return imageIds;
  if (key === CATEGORY) return categoryIds;
  // The other ones are another form's.
  if (form & RESULTS) return key === SCORE ? scores : 0;
  return key === ID ? ids : key === AREA ? areas : key === CROWD ? scores : 0;
}

function has(key: u32): bool {
  return ((found >> key) & 1) !== 0;
}

function isSafeInteger(value: f64): bool {
  return trunc(value) === value && abs(value) <= MAX_SAFE;
}

/** Whether a result has what it must; its area is that of its box, or of its mask where results have no boxes. */
function completeResult(): bool {
  if (!has(IMAGE) || !has(CATEGORY) || !has(SCORE)) return false;
  if (!isSafeInteger(load<f64>(categoryIds + (index << 3)))) return false;
  const own = kind !== UNKNOWN ? kind : has(BOX) ? OF_BOXES : OF_MASKS;
  if (own === OF_BOXES ? !has(BOX) : (form & MASKS) === 0) return false;
  if ((form & MASKS) !== 0 && (!has(MASK) || (own === OF_MASKS && !isMask(index)))) return false;
  const box = boxes + (index << 5);
  store<f64>(areas + (index << 3), own === OF_BOXES ? load<f64>(box, 16) * load<f64>(box, 24) : lastArea());
  kind = own;
  return true;
}

/** Whether an image has an id, and a size that masks can have; any other size counts only where it is asked for. */
function completeImage(): bool {
  if (!has(ID) || !has(WIDTH) || !has(HEIGHT)) return false;
  const at = index << 3;
  const width = load<f64>(widths + at);
  const height = load<f64>(heights + at);
  if (!isSafeInteger(load<f64>(ids + at)) || !isSafeInteger(width) || !isSafeInteger(height)) return false;
  return width > 0 && height > 0 && width * height <= MAX_PIXELS;
}

/** Whether an annotation has what it must. */
function completeAnnotation(): bool {
  if (!has(ID) || !has(IMAGE) || !has(CATEGORY) || !has(AREA)) return false;
  const at = index << 3;
  if (!isSafeInteger(load<f64>(ids + at)) || !isSafeInteger(load<f64>(imageIds + at))) return false;
  if (!isSafeInteger(load<f64>(categoryIds + at)) || !(load<f64>(areas + at) >= 0)) return false;
  const crowd: f64 = has(CROWD) ? load<f64>(scores + at) : 0;
  if (crowd !== 0 && crowd !== 1) return false;
  store<u32>(crowds + (index << 2), <u32>crowd);
  const box = boxes + (index << 5);
  if ((form & BOXES) !== 0 && (!has(BOX) || load<f64>(box, 16) < 0 || load<f64>(box, 24) < 0)) return false;
  return (form & MASKS) === 0 || has(MASK);
}
