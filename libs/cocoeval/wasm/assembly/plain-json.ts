/**
 * Reads the plain part of JSON (RFC 8259) from bytes: what writers of COCO files write. Everything else, whether it is wrong or
 * only unusual, is left to a full parser. Behind the bytes stands a 0, which is plain nowhere. Each reader takes a place
 * and returns the one behind what it read, or 0 where that is not plain: `stoppedAt` then tells how far it came.
 */
import { MOST_PLACES, decimal } from './decimal';
import { parseNumber } from './host';
import { skipNumbers } from './number-lists';

export const QUOTE: u32 = 0x22;
const BACKSLASH: u32 = 0x5c;
const SLASH: u32 = 0x2f;
export const COMMA: u32 = 0x2c;
export const COLON: u32 = 0x3a;
const MINUS: u32 = 0x2d;
const PLUS: u32 = 0x2b;
const POINT: u32 = 0x2e;
const ZERO: u32 = 0x30;
export const OPEN_LIST: u32 = 0x5b;
export const CLOSE_LIST: u32 = 0x5d;
export const OPEN_OBJECT: u32 = 0x7b;
export const CLOSE_OBJECT: u32 = 0x7d;
const SPACE: u32 = 0x20;
const LAST_PRINTABLE: u32 = 0x7e;

/** Digits whose number, and powers of ten that, a double holds exactly: one division then rounds as a parser must. */
const EXACT_DIGITS: usize = 15;
/** Digits that 64 bits hold. */
const MOST_DIGITS: usize = 19;
const POWERS = memory.data<f64>([1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15]);

/** Values deeper than this are not plain. */
const MAX_DEPTH: i32 = 16;

let stopped: usize = 0;
let value: f64 = 0;

/** Where the last reader that refused stopped. */
export function stoppedAt(): usize {
  return stopped;
}

/** Stops at a place. */
export function refuse(at: usize): usize {
  stopped = at;
  return 0;
}

/** The number read last. */
export function lastNumber(): f64 {
  return value;
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

/** Reads the number that begins here, for `lastNumber`: one of fewer than 16 bytes without exponent all digits at once. */
export function readNumber(at: usize): usize {
  const isNegative = load<u8>(at) === MINUS;
  const first = isNegative ? at + 1 : at;
  const digits = i8x16.sub(v128.load(first), i8x16.splat(<i8>ZERO));
  const isDigit: u32 = i8x16.bitmask(i8x16.le_u(digits, i8x16.splat(9)));
  const whole: u32 = ctz(~isDigit);
  let fraction: u32 = 0;
  let length = whole;
  if (load<u8>(first + whole) === POINT) {
    fraction = ctz(~(isDigit >> (whole + 1)));
    length = fraction === 0 ? 16 : whole + 1 + fraction;
  }
  const byte: u32 = load<u8>(first + length);
  const isUsual =
    whole > 0 &&
    length < 16 &&
    byte !== 0 &&
    (byte | 0x20) !== 0x65 /* e */ &&
    (whole === 1 || load<u8>(first) !== ZERO);
  if (!isUsual) return readAnyNumber(at);
  let magnitude = <f64>valueOf(digits, whole, whole + fraction);
  if (fraction > 0) magnitude /= load<f64>(POWERS + (fraction << 3));
  value = isNegative ? -magnitude : magnitude;
  return first + length;
}

/** The number of `count` digits, all but the first `whole` of which stand behind a point. */
function valueOf(digits: v128, whole: u32, count: u32): i64 {
  // Places from the left with which the last digit comes last; negative ones give zeros.
  const places = i8x16.add(i8x16(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15), i8x16.splat(<i8>(count - 16)));
  const beyondPoint = i8x16.sub(places, i8x16.ge_s(places, i8x16.splat(<i8>whole)));
  const ones = i8x16.swizzle(digits, beyondPoint);
  const tens = i16x8.mul(v128.and(ones, i16x8.splat(0xff)), i16x8.splat(10));
  const hundreds = i16x8.add(tens, i16x8.shr_u(ones, 8));
  const fours = i32x4.dot_i16x8_s(hundreds, i16x8(100, 1, 100, 1, 100, 1, 100, 1));
  const upper = i32x4.extract_lane(fours, 0) * 10000 + i32x4.extract_lane(fours, 1);
  const lower = i32x4.extract_lane(fours, 2) * 10000 + i32x4.extract_lane(fours, 3);
  return <i64>upper * 100000000 + <i64>lower;
}

/** The same for any number, digit by digit. */
function readAnyNumber(at: usize): usize {
  const start = at;
  if (load<u8>(at) === MINUS) at++;
  const whole = at;
  let mantissa: i64 = 0;
  let digit: u32 = <u32>load<u8>(at) - ZERO;
  while (digit <= 9) {
    mantissa = 10 * mantissa + digit;
    digit = <u32>load<u8>(++at) - ZERO;
  }
  let digits = at - whole;
  if (digits === 0 || (digits > 1 && load<u8>(whole) === ZERO)) return refuse(at);
  let fraction: usize = 0;
  if (digit + ZERO === POINT) {
    const first = ++at;
    digit = <u32>load<u8>(at) - ZERO;
    while (digit <= 9) {
      mantissa = 10 * mantissa + digit;
      digit = <u32>load<u8>(++at) - ZERO;
    }
    fraction = at - first;
    digits += fraction;
    if (fraction === 0) return refuse(at);
  }
  const byte = digit + ZERO;
  if (byte === 0) return refuse(at);
  if (digits > EXACT_DIGITS || (byte | 0x20) === 0x65 /* e */)
    return readLongNumber(start, whole, at, digits, fraction, mantissa);
  let magnitude = <f64>mantissa;
  if (fraction > 0) magnitude /= load<f64>(POWERS + (fraction << 3));
  value = whole > start ? -magnitude : magnitude;
  return at;
}

/** The rest of a number of many digits, or with an exponent, which begins at `at`. */
function readLongNumber(start: usize, whole: usize, at: usize, digits: usize, fraction: usize, mantissa: i64): usize {
  const end = at;
  if (((<u32>load<u8>(at)) | 0x20) === 0x65 /* e */) {
    at = skipExponent(at);
    if (at === 0) return 0;
  }
  const places = <i32>fraction - exponentOf(end, at);
  if (digits - leadingZeros(whole) <= MOST_DIGITS && places >= 0 && places <= MOST_PLACES) {
    const magnitude = decimal(<u64>mantissa, places);
    value = whole > start ? -magnitude : magnitude;
    return at;
  }
  value = parseNumber(start, at);
  return isFinite(value) ? at : refuse(start);
}

/** How many zeros a number begins with. */
function leadingZeros(at: usize): usize {
  let zeros: usize = 0;
  while (load<u8>(at) === ZERO || load<u8>(at) === POINT) {
    if (load<u8>(at) === ZERO) zeros++;
    at++;
  }
  return zeros;
}

/** An exponent of up to three digits, from its letter on; of more some that is too large. */
function exponentOf(at: usize, end: usize): i32 {
  if (at === end) return 0;
  const sign: u32 = load<u8>(++at);
  if (sign === PLUS || sign === MINUS) at++;
  if (end - at > 3) return i16.MAX_VALUE;
  let exponent = 0;
  for (; at < end; at++) exponent = 10 * exponent + (load<u8>(at) - ZERO);
  return sign === MINUS ? -exponent : exponent;
}

/** Reads exactly so many numbers in a list to `out`. */
export function readNumbers(at: usize, count: i32, out: usize): usize {
  at = take(at, OPEN_LIST);
  for (let i = 0; i < count && at !== 0; i++) {
    if (i > 0) {
      at = take(at, COMMA);
      if (at === 0) return 0;
    }
    at = readNumber(skipSpace(at));
    store<f64>(out + (i << 3), value);
  }
  return at === 0 ? 0 : take(at, CLOSE_LIST);
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

function skipNumber(at: usize): usize {
  if (load<u8>(at) === MINUS) at++;
  const whole = at;
  at = skipDigits(at);
  if (at === whole || (at > whole + 1 && load<u8>(whole) === ZERO)) return refuse(at);
  if (load<u8>(at) === POINT) {
    const first = ++at;
    at = skipDigits(at);
    if (at === first) return refuse(at);
  }
  const byte: u32 = load<u8>(at);
  if (byte === 0) return refuse(at);
  return (byte | 0x20) === 0x65 /* e */ ? skipExponent(at) : at;
}

function skipDigits(at: usize): usize {
  while (<u32>load<u8>(at) - ZERO <= 9) at++;
  return at;
}

/** From the letter e on. */
function skipExponent(at: usize): usize {
  const sign: u32 = load<u8>(++at);
  if (sign === PLUS || sign === MINUS) at++;
  const first = at;
  at = skipDigits(at);
  return at === first || load<u8>(at) === 0 ? refuse(at) : at;
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
