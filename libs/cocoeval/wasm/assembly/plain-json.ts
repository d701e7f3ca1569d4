/**
 * Reads the plain part of JSON (RFC 8259) from bytes: what writers of COCO files write. Everything else, whether it is wrong or
 * only unusual, is left to a full parser. Behind the bytes stands a 0, which is plain nowhere. Each reader takes a place
 * and returns the one behind what it read, or 0 where that is not plain: `stoppedAt` then tells how far it came.
 */
import { skipNumbers } from './number-lists';
import { skipNumber } from './numbers';

export const QUOTE: u32 = 0x22;
const BACKSLASH: u32 = 0x5c;
const SLASH: u32 = 0x2f;
export const COMMA: u32 = 0x2c;
export const COLON: u32 = 0x3a;
export const MINUS: u32 = 0x2d;
export const PLUS: u32 = 0x2b;
export const POINT: u32 = 0x2e;
export const ZERO: u32 = 0x30;
export const OPEN_LIST: u32 = 0x5b;
export const CLOSE_LIST: u32 = 0x5d;
export const OPEN_OBJECT: u32 = 0x7b;
export const CLOSE_OBJECT: u32 = 0x7d;
export const SPACE: u32 = 0x20;
const LAST_PRINTABLE: u32 = 0x7e;

/** Values deeper than this are not plain. */
const MAX_DEPTH: i32 = 16;

let stopped: usize = 0;

/** Where the last reader that refused stopped. */
export function stoppedAt(): usize {
  return stopped;
}

/** Stops at a place. */
export function refuse(at: usize): usize {
  stopped = at;
  return 0;
}

/** The next place that holds no space. */
export function skipSpace(at: usize): usize {
  let byte: u32 = load<u8>(at);
  while (byte <= SPACE && (byte === SPACE || byte === 0x0a || byte === 0x0d || byte === 0x09)) byte = load<u8>(++at);
  return at;
}

/** Reads one byte, after any spaces. */
export function take(at: usize, byte: u32): usize {
  at = skipSpace(at);
  return load<u8>(at) === byte ? at + 1 : refuse(at);
}

/** Reads the rest of a text behind its opening quote: printable ASCII without escapes but `\\`, `\"` and `\/`. */
export function skipText(at: usize): usize {
  while (true) {
    at += plainBytes(v128.load(at));
    const byte: u32 = load<u8>(at);
    if (byte === QUOTE) return at + 1;
    if (byte === BACKSLASH) {
      const escaped: u32 = load<u8>(++at);
      if (escaped !== BACKSLASH && escaped !== QUOTE && escaped !== SLASH) return refuse(at);
      at++;
    } else if (byte < SPACE || byte > LAST_PRINTABLE) return refuse(at);
  }
}

/** Reads a text without its escapes to `out`, whose new end `copiedTo` tells. Up to 16 bytes more are written. */
export function copyText(at: usize, out: usize): usize {
  while (true) {
    const bytes = v128.load(at);
    v128.store(out, bytes);
    const plain = plainBytes(bytes);
    at += plain;
    out += plain;
    const byte: u32 = load<u8>(at);
    if (byte === QUOTE) {
      copied = out;
      return at + 1;
    }
    if (byte === BACKSLASH) {
      const escaped: u32 = load<u8>(++at);
      if (escaped !== BACKSLASH && escaped !== QUOTE && escaped !== SLASH) return refuse(at);
      store<u8>(out++, escaped);
      at++;
    } else if (byte < SPACE || byte > LAST_PRINTABLE) return refuse(at);
  }
}

let copied: usize = 0;

export function copiedTo(): usize {
  return copied;
}

/** How many bytes before the first quote, backslash or other byte that a text cannot have as it is; 16 if there is none. */
function plainBytes(bytes: v128): usize {
  const ends = v128.or(
    v128.or(i8x16.eq(bytes, i8x16.splat(<i8>QUOTE)), i8x16.eq(bytes, i8x16.splat(<i8>BACKSLASH))),
    // Bytes from 0x7f on are the negative ones, and 0x7f.
    v128.or(i8x16.lt_s(bytes, i8x16.splat(<i8>SPACE)), i8x16.eq(bytes, i8x16.splat(0x7f))),
  );
  return <usize>ctz(i8x16.bitmask(ends) | 0x10000);
}

/** Passes over any plain value. */
export function skipValue(at: usize, depth: i32 = 0): usize {
  at = skipSpace(at);
  const byte: u32 = load<u8>(at);
  if (byte - ZERO <= 9 || byte === MINUS) return skipNumber(at);
  if (byte === QUOTE) return skipText(at + 1);
  if (byte === OPEN_LIST) return depth < MAX_DEPTH ? skipList(at + 1, depth + 1) : refuse(at);
  if (byte === OPEN_OBJECT) return depth < MAX_DEPTH ? skipObject(at + 1, depth + 1) : refuse(at);
  return skipWord(at);
}

/** The rest of a list; numbers are what most lists hold. */
function skipList(at: usize, depth: i32): usize {
  at = skipSpace(at);
  if (load<u8>(at) === CLOSE_LIST) return at + 1;
  while (true) {
    if (<u32>load<u8>(at) - ZERO <= 9) {
      at = skipNumbers(at);
      if (load<u8>(at) === CLOSE_LIST && load<u8>(at - 1) !== COMMA) return at + 1;
    }
    at = skipValue(at, depth);
    if (at === 0) return 0;
    at = skipSpace(at);
    const byte: u32 = load<u8>(at);
    if (byte === CLOSE_LIST) return at + 1;
    if (byte !== COMMA) return refuse(at);
    at++;
  }
}

function skipObject(at: usize, depth: i32): usize {
  at = skipSpace(at);
  if (load<u8>(at) === CLOSE_OBJECT) return at + 1;
  while (true) {
    at = take(at, QUOTE);
    if (at !== 0) at = skipText(at);
    if (at !== 0) at = take(at, COLON);
    if (at !== 0) at = skipValue(at, depth);
    if (at === 0) return 0;
    at = skipSpace(at);
    const byte: u32 = load<u8>(at);
    if (byte === CLOSE_OBJECT) return at + 1;
    if (byte !== COMMA) return refuse(at);
    at++;
  }
}

/** true, false or null. */
function skipWord(at: usize): usize {
  const four = load<u32>(at);
  if (four === 0x65757274 /* true */ || four === 0x6c6c756e /* null */) return at + 4;
  if (four === 0x736c6166 /* fals */ && load<u8>(at + 4) === 0x65 /* e */) return at + 5;
  // What is cut off goes on behind the end.
  while (<u32>load<u8>(at) - 0x61 < 26) at++;
  return refuse(at);
}
