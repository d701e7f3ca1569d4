/** Segmentations read from plain JSON into columns: polygons as numbers, masks as packed counts. */
import { allocate } from './memory';
import { measureCounts, measuredArea } from './masks';
import {
  CLOSE_LIST,
  CLOSE_OBJECT,
  COLON,
  COMMA,
  OPEN_LIST,
  QUOTE,
  copiedTo,
  copyText,
  refuse,
  skipSpace,
  skipText,
  skipValue,
  take,
} from './plain-json';
import { COUNTS, SIZE, keyOf } from './keys';
import { lastNumber, readNumber, readNumbers } from './numbers';

const POLYGONS: u32 = 0;
const RUNS: u32 = 1;

export const MAX_PIXELS: f64 = 2147483647;
/** Coordinates beyond this overflow the 32-bit integers of the COCO API. */
const MAX_COORDINATE: f64 = 2147483648.0 / 5 - 2;
const FEWEST_NUMBERS: usize = 5;

/** One entry for each mask: its kind, height and width, and where its part of the columns below ends. */
let kinds: usize = 0;
let sizes: usize = 0;
let countEnds: usize = 0;
let lengthEnds: usize = 0;
let coordinateEnds: usize = 0;
/** Packed counts; how many numbers each polygon has; these numbers. */
let counts: usize = 0;
let lengths: usize = 0;
let coordinates: usize = 0;
/** Where the next ones go. */
let countsAt: usize = 0;
let lengthsAt: usize = 0;
let coordinatesAt: usize = 0;

/** Pixels of the mask read last. */
let area: f64 = 0;

/** Room for what a piece of so many bytes can hold. @returns the places of the columns, in the order from above. */
export function segmentationColumns(bytes: usize, records: usize, places: usize): void {
  kinds = allocate(records << 2);
  sizes = allocate(records << 3);
  countEnds = allocate(records << 2);
  lengthEnds = allocate(records << 2);
  coordinateEnds = allocate(records << 2);
  counts = allocate(4 * bytes);
  lengths = allocate(2 * bytes);
  coordinates = allocate(4 * bytes);
  store<usize>(places, kinds);
  store<usize>(places, sizes, 4);
  store<usize>(places, countEnds, 8);
  store<usize>(places, lengthEnds, 12);
  store<usize>(places, coordinateEnds, 16);
  store<usize>(places, counts, 20);
  store<usize>(places, lengths, 24);
  store<usize>(places, coordinates, 28);
}

/** Forgets all but the first `count` ones. */
export function keepSegmentations(count: u32): void {
  const last: usize = (<usize>count - 1) << 2;
  countsAt = counts + (count === 0 ? 0 : load<u32>(countEnds + last));
  lengthsAt = lengths + (count === 0 ? 0 : load<u32>(lengthEnds + last) << 2);
  coordinatesAt = coordinates + (count === 0 ? 0 : load<u32>(coordinateEnds + last) << 3);
}

/** Pixels of the mask read last. */
export function lastArea(): f64 {
  return area;
}

/** Whether segmentation `index` is a mask. */
export function isMask(index: u32): bool {
  return load<u32>(kinds + (index << 2)) === RUNS;
}

/** Reads segmentation `index`. */
export function readSegmentation(at: usize, index: u32): usize {
  const isList = load<u8>(at) === OPEN_LIST;
  at = isList ? readPolygons(at + 1) : readMask(at, sizes + (index << 3));
  if (at === 0) return 0;
  store<u32>(kinds + (index << 2), isList ? POLYGONS : RUNS);
  if (isList) store<u64>(sizes + (index << 3), 0);
  store<u32>(countEnds + (index << 2), <u32>(countsAt - counts));
  store<u32>(lengthEnds + (index << 2), <u32>((lengthsAt - lengths) >> 2));
  store<u32>(coordinateEnds + (index << 2), <u32>((coordinatesAt - coordinates) >> 3));
  return at;
}

function readPolygons(at: usize): usize {
  let isFirst = true;
  while (true) {
    at = take(at, OPEN_LIST);
    if (at === 0) return 0;
    const first = coordinatesAt;
    at = readCoordinates(at);
    if (at === 0) return 0;
    const length = (coordinatesAt - first) >> 3;
    if (isFirst && length < FEWEST_NUMBERS) return refuse(at - 1);
    store<u32>(lengthsAt, <u32>length);
    lengthsAt += 4;
    isFirst = false;
    at = skipSpace(at);
    const byte: u32 = load<u8>(at);
    if (byte === CLOSE_LIST) return at + 1;
    if (byte !== COMMA) return refuse(at);
    at++;
  }
}

/** The rest of a list of numbers. */
function readCoordinates(at: usize): usize {
  let to = coordinatesAt;
  while (true) {
    at = readNumber(skipSpace(at));
    if (at === 0) return 0;
    const coordinate = lastNumber();
    if (abs(coordinate) > MAX_COORDINATE) return refuse(at - 1);
    store<f64>(to, coordinate);
    to += 8;
    at = skipSpace(at);
    const byte: u32 = load<u8>(at);
    if (byte === CLOSE_LIST) break;
    if (byte !== COMMA) return refuse(at);
    at++;
  }
  coordinatesAt = to;
  return at + 1;
}

const SCANNED_SIZE = memory.data(16, 8);

/** { "size": [height, width], "counts": ... } */
function readMask(at: usize, size: usize): usize {
  const start = at;
  let hasSize = false;
  let hasCounts = false;
  at = take(at, 0x7b);
  if (at === 0) return 0;
  const first = countsAt;
  while (true) {
    at = take(at, QUOTE);
    if (at === 0) return 0;
    const name = at;
    at = skipText(at);
    if (at === 0) return 0;
    const key = keyOf(name, at - 1 - name);
    at = take(at, COLON);
    if (at === 0) return 0;
    at = skipSpace(at);
    if (key === SIZE) {
      if (hasSize) return refuse(at - 1);
      hasSize = true;
      at = readNumbers(at, 2, SCANNED_SIZE);
    } else if (key === COUNTS) {
      if (hasCounts) return refuse(at - 1);
      hasCounts = true;
      at = readCounts(at);
    } else {
      at = skipValue(at);
    }
    if (at === 0) return 0;
    at = skipSpace(at);
    const byte: u32 = load<u8>(at);
    if (byte === CLOSE_OBJECT) break;
    if (byte !== COMMA) return refuse(at);
    at++;
  }
  if (!hasSize || !hasCounts) return refuse(start);
  const height = load<f64>(SCANNED_SIZE);
  const width = load<f64>(SCANNED_SIZE, 8);
  const isSize = trunc(height) === height && trunc(width) === width && height >= 0 && width >= 0;
  if (!isSize || height * width > MAX_PIXELS || height > MAX_PIXELS || width > MAX_PIXELS) return refuse(start);
  if (measureCounts(first, countsAt) !== height * width) return refuse(start);
  area = measuredArea();
  store<u32>(size, <u32>height);
  store<u32>(size, <u32>width, 4);
  return at + 1;
}

function readCounts(at: usize): usize {
  if (load<u8>(at) === OPEN_LIST) return readPlainCounts(at + 1);
  at = take(at, QUOTE);
  if (at === 0) return 0;
  at = copyText(at, countsAt);
  if (at !== 0) countsAt = copiedTo();
  return at;
}

/** A list of runs, which are packed. */
function readPlainCounts(at: usize): usize {
  at = skipSpace(at);
  if (load<u8>(at) === CLOSE_LIST) return at + 1;
  let before: i32 = 0;
  let last: i32 = 0;
  let index: u32 = 0;
  while (true) {
    at = readNumber(skipSpace(at));
    if (at === 0) return 0;
    const run = lastNumber();
    if (trunc(run) !== run || run < 0 || run > MAX_PIXELS) return refuse(at - 1);
    pack(index > 2 ? <i32>run - before : <i32>run);
    index++;
    before = last;
    last = <i32>run;
    at = skipSpace(at);
    const byte: u32 = load<u8>(at);
    if (byte === CLOSE_LIST) return at + 1;
    if (byte !== COMMA) return refuse(at);
    at++;
  }
}

/** Appends a number: 5 bits a character, 32 = more follow. */
function pack(value: i32): void {
  while (true) {
    const code = value & 31;
    value >>= 5;
    const more = code & 16 ? value !== -1 : value !== 0;
    store<u8>(countsAt++, (more ? code | 32 : code) + 48);
    if (!more) return;
  }
}
